-- The tables of schema monitor; monitor/store/tables.py holds the same columns for the code (a test compares the two).
-- Key lengths are bounded because a B-tree entry may not exceed 2,704 bytes.

CREATE TABLE monitor.account (
    account_id     uuid PRIMARY KEY,
    user_name      text NOT NULL UNIQUE CHECK (octet_length(user_name) BETWEEN 1 AND 2048),
    shard          smallint NOT NULL CHECK (shard BETWEEN 0 AND 255),
    first_seen_at  timestamptz NOT NULL
);

CREATE TABLE monitor.login_event (
    account_id   uuid NOT NULL,
    source       text NOT NULL CHECK (octet_length(source) BETWEEN 1 AND 200),
    event_id     text NOT NULL CHECK (octet_length(event_id) BETWEEN 1 AND 2048),
    occurred_at  timestamptz NOT NULL CHECK (isfinite(occurred_at)),
    shard        smallint NOT NULL CHECK (shard BETWEEN 0 AND 255),
    outcome      text NOT NULL CHECK (outcome IN ('success', 'failure')),
    ip           inet,
    country      text CHECK (country ~ '^[A-Z]{2}$'),
    region       text,
    city         text,
    latitude     double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude    double precision CHECK (longitude BETWEEN -180 AND 180),
    asn          bigint CHECK (asn BETWEEN 0 AND 4294967295),
    user_agent   text,
    browser      text,
    os           text,
    device_id    text,
    auth_method  text,
    application  text,
    rtt_ms       real CHECK (rtt_ms >= 0 AND rtt_ms < 'Infinity'),
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, source, event_id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX login_event_occurred_at ON monitor.login_event (occurred_at);
CREATE INDEX login_event_ip ON monitor.login_event (ip, occurred_at);

-- A queue: every row is inserted once and deleted once, so dead rows have to go soon.
CREATE TABLE monitor.unscored_event (
    account_id   uuid NOT NULL,
    source       text NOT NULL,
    event_id     text NOT NULL,
    occurred_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, source, event_id, occurred_at)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX unscored_event_occurred_at ON monitor.unscored_event (occurred_at);

CREATE TABLE monitor.quarantined_event (
    account_id      uuid NOT NULL,
    source          text NOT NULL,
    event_id        text NOT NULL,
    occurred_at     timestamptz NOT NULL,
    reason          text NOT NULL,
    quarantined_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, source, event_id, occurred_at)
);

CREATE TABLE monitor.rejected_record (
    source       text NOT NULL CHECK (octet_length(source) BETWEEN 1 AND 200),
    record_hash  bytea NOT NULL CHECK (octet_length(record_hash) BETWEEN 1 AND 64),
    line         bigint,
    reason       text NOT NULL,
    record       text NOT NULL,
    rejected_at  timestamptz NOT NULL,
    PRIMARY KEY (source, record_hash)
);

CREATE TABLE monitor.source_cursor (
    source      text PRIMARY KEY CHECK (octet_length(source) BETWEEN 1 AND 200),
    cursor      jsonb NOT NULL,
    updated_at  timestamptz NOT NULL
);

-- Rewritten at every login of the account: room in each page keeps the new version beside the old one (HOT).
CREATE TABLE monitor.account_state (
    account_id    uuid PRIMARY KEY,
    updated_at    timestamptz NOT NULL,
    feature       text[] NOT NULL,
    value         text[] NOT NULL,
    weight        real[] NOT NULL,
    last_seen     double precision[] NOT NULL,  -- seconds since the epoch: read and written in bulk
    summary       double precision[] NOT NULL,
    "window"      bytea NOT NULL,
    CHECK (cardinality(feature) = cardinality(value) AND cardinality(feature) = cardinality(weight)
           AND cardinality(feature) = cardinality(last_seen))
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000,
        toast.autovacuum_vacuum_scale_factor = 0.05);
-- Floats do not compress; trying costs time at every write.
ALTER TABLE monitor.account_state ALTER COLUMN "window" SET STORAGE EXTERNAL;

CREATE TABLE monitor.population_state (
    feature     text NOT NULL,
    value       text NOT NULL CHECK (octet_length(value) <= 2048),
    weight      double precision NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (feature, value)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Fading sums by address and by network: password guessing, and spraying, seen across accounts.
CREATE TABLE monitor.traffic_state (
    kind        text NOT NULL CHECK (kind IN ('address', 'network')),
    value       text NOT NULL CHECK (octet_length(value) <= 2048),
    attempts    double precision NOT NULL,
    failures    double precision NOT NULL,
    accounts    double precision NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (kind, value)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX traffic_state_updated_at ON monitor.traffic_state (updated_at);

CREATE TABLE monitor.model (
    model_id       uuid PRIMARY KEY,
    detector       text NOT NULL,
    status         text NOT NULL CHECK (status IN ('active', 'retired', 'refused')),
    features       text[] NOT NULL CHECK (cardinality(features) > 0),
    weights        bytea NOT NULL,
    metadata       jsonb NOT NULL,
    trained_until  timestamptz NOT NULL,
    created_at     timestamptz NOT NULL
);
ALTER TABLE monitor.model ALTER COLUMN weights SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX model_one_active ON monitor.model (status) WHERE status = 'active';

CREATE TABLE monitor.login_score (
    account_id    uuid NOT NULL,
    source        text NOT NULL,
    event_id      text NOT NULL,
    occurred_at   timestamptz NOT NULL,
    outcome       text NOT NULL CHECK (outcome IN ('success', 'failure')),
    score         real NOT NULL CHECK (score > '-Infinity' AND score < 'Infinity'),
    raw           real NOT NULL CHECK (raw > '-Infinity' AND raw < 'Infinity'),
    threshold     real NOT NULL CHECK (threshold > '-Infinity'),
    alerted       boolean NOT NULL,
    model_id      uuid NOT NULL,
    scored_at     timestamptz NOT NULL,
    contribution  real[] NOT NULL,
    observed      text[],
    usual         text[],
    PRIMARY KEY (account_id, source, event_id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX login_score_occurred_at ON monitor.login_score (occurred_at);
CREATE INDEX login_score_alerted ON monitor.login_score (score) WHERE alerted;

CREATE TABLE monitor.threshold (
    threshold_id             bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    value                    double precision NOT NULL CHECK (value > '-Infinity' AND value < 'Infinity'),
    decided_at               timestamptz NOT NULL,
    decided_by               text NOT NULL,
    basis                    text NOT NULL,
    reviews_used             integer NOT NULL CHECK (reviews_used >= 0),
    expected_precision       double precision CHECK (expected_precision BETWEEN 0 AND 1),
    expected_alerts_per_day  double precision CHECK (expected_alerts_per_day >= 0),
    model_id                 uuid
);
CREATE INDEX threshold_decided_at ON monitor.threshold (decided_at DESC);

CREATE TABLE monitor.alert (
    alert_id       uuid PRIMARY KEY,
    account_id     uuid NOT NULL,
    opened_at      timestamptz NOT NULL,
    last_event_at  timestamptz NOT NULL,
    score          real NOT NULL CHECK (score > '-Infinity' AND score < 'Infinity'),
    severity       text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    status         text NOT NULL CHECK (status IN ('open', 'confirmed', 'dismissed')),
    headline       text NOT NULL,
    event_count    integer NOT NULL CHECK (event_count >= 1),
    campaign_id    uuid,
    thin_history   boolean NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CHECK (last_event_at >= opened_at)
);
CREATE INDEX alert_status_score ON monitor.alert (status, score DESC);
CREATE INDEX alert_account ON monitor.alert (account_id, last_event_at);
CREATE INDEX alert_campaign ON monitor.alert (campaign_id) WHERE campaign_id IS NOT NULL;

-- The key makes an event belong to one alert at most, however often a pass is repeated.
CREATE TABLE monitor.alert_event (
    account_id   uuid NOT NULL,
    source       text NOT NULL,
    event_id     text NOT NULL,
    occurred_at  timestamptz NOT NULL,
    alert_id     uuid NOT NULL,
    score        real NOT NULL CHECK (score > '-Infinity' AND score < 'Infinity'),
    event        jsonb NOT NULL,
    attribution  jsonb NOT NULL,
    learned_at   timestamptz,
    PRIMARY KEY (account_id, source, event_id, occurred_at)
);
CREATE INDEX alert_event_alert ON monitor.alert_event (alert_id);
CREATE INDEX alert_event_unlearned ON monitor.alert_event (occurred_at) WHERE learned_at IS NULL;

CREATE TABLE monitor.review (
    review_id    uuid PRIMARY KEY,
    alert_id     uuid NOT NULL,
    verdict      text NOT NULL CHECK (verdict IN ('confirm', 'dismiss', 'undo')),
    reviewer     text NOT NULL CHECK (reviewer <> ''),
    reason       text,
    note         text,
    reviewed_at  timestamptz NOT NULL
);
CREATE INDEX review_alert ON monitor.review (alert_id, reviewed_at);

CREATE TABLE monitor.job_run (
    run_id       uuid PRIMARY KEY,
    job          text NOT NULL,
    status       text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'abandoned')),
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    error        text,
    counts       jsonb NOT NULL,
    CHECK ((status = 'running') = (finished_at IS NULL))
);
CREATE INDEX job_run_job ON monitor.job_run (job, started_at DESC);
CREATE INDEX job_run_running ON monitor.job_run (run_id) WHERE status = 'running';

CREATE TABLE monitor.lease (
    name        text PRIMARY KEY,
    holder      uuid NOT NULL,
    term        bigint NOT NULL CHECK (term >= 1),
    expires_at  timestamptz NOT NULL
);
