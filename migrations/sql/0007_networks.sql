-- What an address says of a login beyond what its source says. Only additions: the version before goes on writing rows.

ALTER TABLE monitor.login_event ADD COLUMN accuracy_km real, ADD COLUMN network_kind text;

CREATE OR REPLACE VIEW reporting.login_event AS
SELECT e.source, e.event_id, e.occurred_at, a.user_name, e.outcome, e.ip, e.country, e.region, e.city,
       e.latitude, e.longitude, e.asn, e.user_agent, e.browser, e.os, e.device_id, e.auth_method, e.application,
       e.rtt_ms, e.received_at, e.accuracy_km, e.network_kind
FROM monitor.login_event e
JOIN monitor.account a USING (account_id);

COMMENT ON COLUMN reporting.login_event.accuracy_km IS 'Radius in which the client is, where the coordinates were looked up by address.';
COMMENT ON COLUMN reporting.login_event.network_kind IS 'Kind of the client''s network: private, carrier, loopback, link_local, or the name of a configured list (tor, vpn, hosting, ...).';
