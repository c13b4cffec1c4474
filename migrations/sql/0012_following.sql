-- Logins that did not alert, and follow one of their account that did: they wait in its alert for its verdict. The
-- version before writes none, and takes those it finds for logins of the alert.
ALTER TABLE monitor.alert_event ADD COLUMN follows boolean NOT NULL DEFAULT false;

CREATE OR REPLACE VIEW reporting.alert_event AS
SELECT v.alert_id, v.event_id, v.source, a.user_name, v.occurred_at, v.score, v.event, v.attribution
FROM monitor.alert_event v
JOIN monitor.account a USING (account_id)
WHERE NOT v.follows;

CREATE VIEW reporting.following_event AS
SELECT v.alert_id, v.event_id, v.source, a.user_name, v.occurred_at, v.score, v.event, v.attribution, v.learned_at
FROM monitor.alert_event v
JOIN monitor.account a USING (account_id)
WHERE v.follows;
GRANT SELECT ON reporting.following_event TO monitor_reporting;

COMMENT ON VIEW reporting.following_event IS 'Logins that did not alert, and followed an alert: they showed a new value that one of its logins had shown, and wait for its verdict before they are learned.';
COMMENT ON COLUMN reporting.following_event.alert_id IS 'The alert whose verdict the login waits for.';
COMMENT ON COLUMN reporting.following_event.event_id IS 'Identity of the event within its source.';
COMMENT ON COLUMN reporting.following_event.source IS 'Name of the source the event came from.';
COMMENT ON COLUMN reporting.following_event.user_name IS 'The account that was logged in to.';
COMMENT ON COLUMN reporting.following_event.occurred_at IS 'When the login happened.';
COMMENT ON COLUMN reporting.following_event.score IS 'The login''s score.';
COMMENT ON COLUMN reporting.following_event.event IS 'The event''s canonical columns as JSON.';
COMMENT ON COLUMN reporting.following_event.attribution IS 'The login''s attributions as JSON, largest contribution first.';
COMMENT ON COLUMN reporting.following_event.learned_at IS 'When the baseline learned it after all: the alert was dismissed, or nobody judged it for too long.';
