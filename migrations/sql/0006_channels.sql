-- Deliveries get a key of their own, which travels with the notice, a lease beside the time of the next try, and digests.
-- The version before this one goes on working: it names the columns it writes, and knows nothing of the others.

ALTER TABLE monitor.delivery
    ADD COLUMN delivery_id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN kind text NOT NULL DEFAULT 'opened' CHECK (kind IN ('opened', 'worsened', 'digest')),
    ADD COLUMN digest_on date,
    ADD COLUMN leased_until timestamptz,
    DROP CONSTRAINT delivery_pkey,
    ADD PRIMARY KEY (delivery_id),
    ALTER COLUMN alert_id DROP NOT NULL,
    ALTER COLUMN severity DROP NOT NULL,
    ADD CONSTRAINT delivery_alert UNIQUE (channel, alert_id, severity),
    ADD CONSTRAINT delivery_digest UNIQUE (channel, digest_on),
    ADD CHECK ((kind = 'digest') = (digest_on IS NOT NULL)),
    ADD CHECK ((kind = 'digest') = (alert_id IS NULL) AND (kind = 'digest') = (severity IS NULL));

UPDATE monitor.delivery d SET kind = 'worsened'
WHERE EXISTS (
    SELECT FROM monitor.delivery e
    WHERE (e.channel, e.alert_id) = (d.channel, d.alert_id) AND e.decided_at < d.decided_at
);

CREATE OR REPLACE VIEW reporting.delivery AS
SELECT channel, alert_id, severity, status, attempts, next_try_at, error, decided_at, delivered_at, delivery_id, kind,
       digest_on, leased_until
FROM monitor.delivery;

COMMENT ON TABLE monitor.delivery IS 'What was to be told through which channel, and whether it arrived.';
COMMENT ON VIEW reporting.delivery IS
    'Notices by channel: one for each severity that an alert reached, and one for each daily digest.';
COMMENT ON COLUMN reporting.delivery.alert_id IS 'The alert that the notice is about; none for a digest.';
COMMENT ON COLUMN reporting.delivery.severity IS
    'The severity that the notice tells: low, medium, high or critical; none for a digest.';
COMMENT ON COLUMN reporting.delivery.delivery_id IS 'Key of the notice: what receives it finds it in every repeat too.';
COMMENT ON COLUMN reporting.delivery.kind IS
    'opened: the first notice of the alert in this channel; worsened: a further one; digest: of a day.';
COMMENT ON COLUMN reporting.delivery.digest_on IS 'The day at whose hour a digest was due, by the channel''s clock.';
COMMENT ON COLUMN reporting.delivery.leased_until IS
    'A process is sending this notice, or was when it ended; until this moment no other one takes it.';
