-- Schema reporting: what an analyst, a dashboard or `monitor sql` reads. Names and columns are a contract.

CREATE SCHEMA reporting;

CREATE VIEW reporting.login_event AS
SELECT e.source, e.event_id, e.occurred_at, a.user_name, e.outcome, e.ip, e.country, e.region, e.city,
       e.latitude, e.longitude, e.asn, e.user_agent, e.browser, e.os, e.device_id, e.auth_method, e.application,
       e.rtt_ms, e.received_at
FROM monitor.login_event e
JOIN monitor.account a USING (account_id);

CREATE VIEW reporting.login_score AS
SELECT s.source, s.event_id, a.user_name, s.occurred_at, s.outcome, s.score, s.raw, s.threshold, s.alerted,
       s.model_id, s.scored_at
FROM monitor.login_score s
JOIN monitor.account a USING (account_id);

-- Observed values are stored for logins worth explaining only; for the others the event itself says most of them.
CREATE VIEW reporting.attribution AS
SELECT s.source, s.event_id, a.user_name, s.occurred_at, part.feature, part.contribution,
       coalesce(part.observed, CASE part.feature
           WHEN 'country' THEN e.country
           WHEN 'region' THEN e.region
           WHEN 'city' THEN e.city
           WHEN 'asn' THEN e.asn::text
           WHEN 'network' THEN host(e.ip)
           WHEN 'device' THEN e.device_id
           WHEN 'browser' THEN e.browser
           WHEN 'os' THEN e.os
           WHEN 'auth_method' THEN e.auth_method
           WHEN 'application' THEN e.application
           WHEN 'failure' THEN s.outcome
           WHEN 'rtt' THEN e.rtt_ms || ' ms'
           WHEN 'hour' THEN to_char(s.occurred_at AT TIME ZONE 'UTC', 'HH24:MI "UTC"')
           WHEN 'weekday' THEN to_char(s.occurred_at AT TIME ZONE 'UTC', 'FMDay')
       END) AS observed,
       part.usual
FROM monitor.login_score s
JOIN monitor.account a USING (account_id)
JOIN monitor.model m USING (model_id)
LEFT JOIN monitor.login_event e USING (account_id, source, event_id, occurred_at)
CROSS JOIN LATERAL unnest(m.features, s.contribution, s.observed, s.usual)
    AS part (feature, contribution, observed, usual)
WHERE part.contribution <> 0;

CREATE VIEW reporting.alert AS
SELECT t.alert_id, a.user_name, t.opened_at, t.last_event_at, t.score, t.severity, t.status, t.headline,
       t.event_count, t.campaign_id, t.thin_history, t.created_at, t.updated_at
FROM monitor.alert t
JOIN monitor.account a USING (account_id);

CREATE VIEW reporting.alert_event AS
SELECT v.alert_id, v.event_id, v.source, a.user_name, v.occurred_at, v.score, v.event, v.attribution
FROM monitor.alert_event v
JOIN monitor.account a USING (account_id);

CREATE VIEW reporting.review AS
SELECT review_id, alert_id, verdict, reviewer, reason, note, reviewed_at
FROM monitor.review;

CREATE VIEW reporting.threshold AS
SELECT threshold_id, value, decided_at, decided_by, basis, reviews_used, expected_precision,
       expected_alerts_per_day, model_id
FROM monitor.threshold;

-- LATERAL, so that a question about one user unpacks one account.
CREATE VIEW reporting.baseline AS
SELECT a.user_name, part.feature, part.value, part.share, part.weight, part.last_seen_at, s.updated_at
FROM monitor.account_state s
JOIN monitor.account a USING (account_id)
CROSS JOIN LATERAL (
    SELECT entry.feature, entry.value, entry.weight, to_timestamp(entry.last_seen) AS last_seen_at,
           entry.weight / nullif(sum(entry.weight::double precision) OVER (PARTITION BY entry.feature), 0) AS share
    FROM unnest(s.feature, s.value, s.weight, s.last_seen) AS entry (feature, value, weight, last_seen)
    WHERE entry.weight > 0  -- a weight of nought is a value that was met, but not learned
) part;

CREATE VIEW reporting.user_risk AS
SELECT a.user_name, d.day, d.risk, d.max_score, d.events, d.failures, coalesce(t.alerts, 0) AS alerts
FROM (
    SELECT account_id, (occurred_at AT TIME ZONE 'UTC')::date AS day,
           sum(greatest(score - 2, 0)::double precision) AS risk, max(score) AS max_score, count(*) AS events,
           count(*) FILTER (WHERE outcome = 'failure') AS failures
    FROM monitor.login_score
    GROUP BY 1, 2
) d
JOIN monitor.account a USING (account_id)
LEFT JOIN (
    SELECT account_id, (opened_at AT TIME ZONE 'UTC')::date AS day, count(*) AS alerts
    FROM monitor.alert
    GROUP BY 1, 2
) t USING (account_id, day);

CREATE VIEW reporting.detection_quality AS
SELECT week, count(*) AS alerts,
       count(*) FILTER (WHERE verdict IN ('confirm', 'dismiss')) AS reviewed,
       count(*) FILTER (WHERE verdict = 'confirm') AS confirmed,
       count(*) FILTER (WHERE verdict = 'dismiss') AS dismissed,
       count(*) FILTER (WHERE verdict = 'confirm')::double precision
           / nullif(count(*) FILTER (WHERE verdict IN ('confirm', 'dismiss')), 0) AS "precision"
FROM (
    SELECT date_trunc('week', t.opened_at AT TIME ZONE 'UTC')::date AS week, latest.verdict
    FROM monitor.alert t
    LEFT JOIN LATERAL (
        SELECT r.verdict
        FROM monitor.review r
        WHERE r.alert_id = t.alert_id
        ORDER BY r.reviewed_at DESC, r.review_id DESC
        LIMIT 1
    ) latest ON true
) judged
GROUP BY week;

CREATE VIEW reporting.job_run AS
SELECT run_id, job, status, started_at, finished_at,
       extract(epoch FROM finished_at - started_at)::double precision AS seconds, error, counts
FROM monitor.job_run;
