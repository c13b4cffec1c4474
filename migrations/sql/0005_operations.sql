-- For whoever runs the monitor: what each source brought, how long the queue waits, who was forgotten, and the
-- check value of the key that pseudonyms are made with.

-- What a source brought is counted when it is stored: to count it afterwards would read every event ever stored.
CREATE TABLE monitor.source_total (
    source            text PRIMARY KEY CHECK (octet_length(source) BETWEEN 1 AND 200),
    stored            bigint NOT NULL CHECK (stored >= 0),
    rejected          bigint NOT NULL CHECK (rejected >= 0),
    last_received_at  timestamptz,
    last_occurred_at  timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE monitor.source_total IS 'What each source brought so far, kept up as events are stored.';

INSERT INTO monitor.source_total (source, stored, rejected, last_received_at, last_occurred_at)
SELECT source, sum(stored), sum(rejected), max(received_at), max(occurred_at)
FROM (
    SELECT source, count(*) AS stored, 0 AS rejected, max(received_at) AS received_at, max(occurred_at) AS occurred_at
    FROM monitor.login_event GROUP BY source
    UNION ALL
    SELECT source, 0, count(*), NULL, NULL FROM monitor.rejected_record GROUP BY source
) AS brought
GROUP BY source;

CREATE VIEW reporting.source AS
SELECT source, stored, rejected, last_received_at, last_occurred_at
FROM monitor.source_total;
COMMENT ON VIEW reporting.source IS 'What each source brought so far. Counts never fall: retention and erasure do not change them.';
COMMENT ON COLUMN reporting.source.source IS 'Name of the source.';
COMMENT ON COLUMN reporting.source.stored IS 'Login events that were stored.';
COMMENT ON COLUMN reporting.source.rejected IS 'Records that were no valid login event.';
COMMENT ON COLUMN reporting.source.last_received_at IS 'When the source last brought an event that was new.';
COMMENT ON COLUMN reporting.source.last_occurred_at IS 'When the latest login that it brought happened.';

-- A default that is the same for all rows: no row is rewritten, and the old version's inserts go on working.
ALTER TABLE monitor.unscored_event ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now();

-- account_id is a hash of the user name: enough to keep what happened before out for good, and to prove the erasure.
CREATE TABLE monitor.erasure (
    erasure_id    uuid PRIMARY KEY,
    account_id    uuid NOT NULL,
    forgotten_at  timestamptz NOT NULL,
    counts        jsonb NOT NULL,
    kept          jsonb NOT NULL
);
CREATE INDEX erasure_account ON monitor.erasure (account_id, forgotten_at);
COMMENT ON TABLE monitor.erasure IS 'Receipts of people who were forgotten; their events from before are not taken in again.';

CREATE VIEW reporting.erasure AS
SELECT erasure_id, account_id, forgotten_at, counts, kept
FROM monitor.erasure;
COMMENT ON VIEW reporting.erasure IS 'Receipts of people who were forgotten (`monitor forget`).';
COMMENT ON COLUMN reporting.erasure.erasure_id IS 'Identity of the receipt.';
COMMENT ON COLUMN reporting.erasure.account_id IS 'Hash of the user name (BLAKE2b as UUIDv8): whoever knows the name finds its receipt.';
COMMENT ON COLUMN reporting.erasure.forgotten_at IS 'When it was done; logins from before this are not taken in again.';
COMMENT ON COLUMN reporting.erasure.counts IS 'Rows that were deleted or rewritten, by table.';
COMMENT ON COLUMN reporting.erasure.kept IS 'What still mentions the name, by table, and has to stay.';

CREATE TABLE monitor.pseudonym_key (
    fingerprint  bytea NOT NULL CHECK (octet_length(fingerprint) = 16),
    single       boolean PRIMARY KEY DEFAULT true CHECK (single)
);
COMMENT ON TABLE monitor.pseudonym_key IS 'Check value of the key that pseudonyms are made with; empty where names are stored as they are.';

GRANT SELECT ON reporting.source, reporting.erasure TO monitor_reporting, monitor_web;
