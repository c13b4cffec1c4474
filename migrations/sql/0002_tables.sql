-- What the review pages keep: reviewers, their sessions, what they say about alerts, and the audit log.

-- Names are compared in lower case, so that nobody can be taken for somebody else by a capital letter.
CREATE TABLE monitor.reviewer (
    name                 text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._@-]{0,99}$'),
    role                 text NOT NULL CHECK (role IN ('viewer', 'reviewer', 'admin')),
    password_hash        text NOT NULL,
    totp_secret          text NOT NULL,
    totp_counter         bigint NOT NULL DEFAULT 0,
    must_change          boolean NOT NULL,
    created_at           timestamptz NOT NULL,
    password_changed_at  timestamptz NOT NULL,
    disabled_at          timestamptz
);

CREATE TABLE monitor.web_session (
    token_hash  bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    reviewer    text NOT NULL REFERENCES monitor.reviewer,
    created_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    address     text NOT NULL
);
CREATE INDEX web_session_reviewer ON monitor.web_session (reviewer);

-- No foreign key: tries under names that nobody has are counted as well.
CREATE TABLE monitor.sign_in_try (
    try_id     uuid PRIMARY KEY,
    reviewer   text NOT NULL,
    address    text NOT NULL,
    succeeded  boolean NOT NULL,
    tried_at   timestamptz NOT NULL
);
CREATE INDEX sign_in_try_reviewer ON monitor.sign_in_try (reviewer, tried_at);
CREATE INDEX sign_in_try_address ON monitor.sign_in_try (address, tried_at);

-- The key that signs cookies and forms: one for all processes, and it outlives them. 244 random bits.
CREATE TABLE monitor.web_secret (
    secret  bytea NOT NULL,
    single  boolean PRIMARY KEY DEFAULT true CHECK (single)
);
INSERT INTO monitor.web_secret (secret)
SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

CREATE TABLE monitor.comment (
    comment_id  uuid PRIMARY KEY,
    alert_id    uuid NOT NULL,
    author      text NOT NULL,
    body        text NOT NULL CHECK (length(body) BETWEEN 1 AND 4000),
    created_at  timestamptz NOT NULL
);
CREATE INDEX comment_alert ON monitor.comment (alert_id, created_at);

CREATE TABLE monitor.assignment (
    alert_id     uuid PRIMARY KEY,
    assignee     text REFERENCES monitor.reviewer,
    assigned_by  text NOT NULL,
    assigned_at  timestamptz NOT NULL
);
CREATE INDEX assignment_assignee ON monitor.assignment (assignee) WHERE assignee IS NOT NULL;

-- scope_id is the review_id of the dismissal; a scope ends at valid_until, or when its dismissal is undone.
CREATE TABLE monitor.scoped_dismissal (
    scope_id      uuid PRIMARY KEY,
    alert_id      uuid NOT NULL,
    account_id    uuid NOT NULL,
    feature       text NOT NULL,
    value         text NOT NULL CHECK (octet_length(value) <= 2048),
    reviewer      text NOT NULL,
    created_at    timestamptz NOT NULL,
    valid_until   timestamptz NOT NULL,
    withdrawn_at  timestamptz,
    CHECK (valid_until > created_at)
);
CREATE INDEX scoped_dismissal_account ON monitor.scoped_dismissal (account_id, valid_until) WHERE withdrawn_at IS NULL;
CREATE INDEX scoped_dismissal_alert ON monitor.scoped_dismissal (alert_id);

-- Each row's hash covers its predecessor's: a row that was edited, removed or slipped in breaks the chain after it.
CREATE TABLE monitor.audit (
    audit_id     bigint PRIMARY KEY,
    occurred_at  timestamptz NOT NULL,
    actor        text NOT NULL,
    action       text NOT NULL,
    subject      text NOT NULL,
    details      jsonb NOT NULL,
    address      text NOT NULL,
    previous     bytea NOT NULL,
    hash         bytea NOT NULL
);
CREATE INDEX audit_subject ON monitor.audit (subject, audit_id);

-- The queue with every status; with one, alert_status_score and this one serve it.
CREATE INDEX alert_score ON monitor.alert (score DESC);
CREATE INDEX alert_status_opened ON monitor.alert (status, opened_at DESC);


CREATE VIEW reporting.model AS
SELECT model_id, detector, status, features, metadata, trained_until, created_at
FROM monitor.model;

CREATE VIEW reporting.scoped_dismissal AS
SELECT s.scope_id, s.alert_id, a.user_name, s.feature, s.value, s.reviewer, s.created_at, s.valid_until, s.withdrawn_at
FROM monitor.scoped_dismissal s
JOIN monitor.account a USING (account_id);

CREATE VIEW reporting.comment AS
SELECT comment_id, alert_id, author, body, created_at
FROM monitor.comment;
