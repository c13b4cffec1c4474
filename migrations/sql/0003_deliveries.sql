-- A delivery is decided as a row, and sent as a second step: an alert is told to a channel once for each severity it
-- reaches, at least once whatever crashes; the key that makes a repeat recognisable travels with it.

CREATE TABLE monitor.delivery (
    channel       text NOT NULL CHECK (octet_length(channel) BETWEEN 1 AND 200),
    alert_id      uuid NOT NULL,
    severity      text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    status        text NOT NULL CHECK (status IN ('pending', 'delivered', 'dead')),
    attempts      integer NOT NULL CHECK (attempts >= 0),
    next_try_at   timestamptz NOT NULL,
    error         text,
    decided_at    timestamptz NOT NULL,
    delivered_at  timestamptz,
    PRIMARY KEY (channel, alert_id, severity),
    CHECK ((status = 'delivered') = (delivered_at IS NOT NULL))
);
CREATE INDEX delivery_pending ON monitor.delivery (channel, next_try_at) WHERE status = 'pending';

CREATE VIEW reporting.delivery AS
SELECT channel, alert_id, severity, status, attempts, next_try_at, error, decided_at, delivered_at
FROM monitor.delivery;

COMMENT ON TABLE monitor.delivery IS 'What was to be told of which alert through which channel, and whether it arrived.';
COMMENT ON VIEW reporting.delivery IS 'Notices of alerts by channel: one for each severity that an alert reached.';
COMMENT ON COLUMN reporting.delivery.channel IS 'Name of the channel, as configured.';
COMMENT ON COLUMN reporting.delivery.alert_id IS 'The alert that the notice is about.';
COMMENT ON COLUMN reporting.delivery.severity IS 'The severity that the notice tells: low, medium, high or critical.';
COMMENT ON COLUMN reporting.delivery.status IS 'pending, delivered, or dead after too many failures.';
COMMENT ON COLUMN reporting.delivery.attempts IS 'How often sending was tried.';
COMMENT ON COLUMN reporting.delivery.next_try_at IS 'A pending notice is tried again from this moment on.';
COMMENT ON COLUMN reporting.delivery.error IS 'Why the latest try failed.';
COMMENT ON COLUMN reporting.delivery.decided_at IS 'When the notice was decided on.';
COMMENT ON COLUMN reporting.delivery.delivered_at IS 'When it arrived.';

GRANT SELECT ON reporting.delivery TO monitor_reporting, monitor_web;
