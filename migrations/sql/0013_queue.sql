-- The queue read off its indexes alone: they hold what decides whether an alert is in it, and the whole order. Indexes
-- only, each beginning as the one it replaces: the version before does not notice.

CREATE INDEX alert_queue ON monitor.alert (status, score DESC, alert_id DESC) INCLUDE (severity, campaign_id);
DROP INDEX monitor.alert_status_score;

CREATE INDEX alert_queue_newest ON monitor.alert (status, opened_at DESC, alert_id DESC) INCLUDE (severity, campaign_id);
DROP INDEX monitor.alert_status_opened;

-- With every status.
CREATE INDEX alert_queue_all ON monitor.alert (score DESC, alert_id DESC) INCLUDE (status, severity, campaign_id);
DROP INDEX monitor.alert_score;

-- The oddest logins of an alert, and those that followed, without reading all of them.
CREATE INDEX alert_event_oddest ON monitor.alert_event (alert_id, follows, score DESC);
DROP INDEX monitor.alert_event_alert;
