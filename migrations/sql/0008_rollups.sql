-- Sums of the scores, kept up in the transaction that writes them: reports of weeks and months need not read them all.
-- A trigger keeps them, so that a process of the version before keeps them as well.

CREATE TABLE monitor.account_day (
    account_id  uuid NOT NULL,
    day         date NOT NULL,
    risk        double precision NOT NULL,
    max_score   real NOT NULL,
    events      integer NOT NULL CHECK (events >= 1),
    failures    integer NOT NULL CHECK (failures BETWEEN 0 AND events),
    PRIMARY KEY (account_id, day)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX account_day_day ON monitor.account_day (day);
COMMENT ON TABLE monitor.account_day IS 'Scores summed up by account and day (UTC), kept up by triggers of login_score.';

-- Anonymous, so it outlives the scores that it counts.
CREATE TABLE monitor.score_day (
    day      date NOT NULL,
    tenth    smallint NOT NULL CHECK (tenth BETWEEN 0 AND 1000),
    logins   bigint NOT NULL,
    alerted  bigint NOT NULL,
    PRIMARY KEY (day, tenth)
) WITH (fillfactor = 50);
COMMENT ON TABLE monitor.score_day IS 'How many logins of each day (UTC) had which score, in tenths; 1000 is a score of 100 or more. Kept up by a trigger of login_score.';

CREATE FUNCTION monitor.sum_up_scores() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO monitor.account_day AS held (account_id, day, risk, max_score, events, failures)
    SELECT account_id, (occurred_at AT TIME ZONE 'UTC')::date, sum(greatest(score - 2, 0)::double precision),
           max(score), count(*), count(*) FILTER (WHERE outcome = 'failure')
    FROM added
    GROUP BY 1, 2
    ORDER BY 1, 2
    ON CONFLICT (account_id, day) DO UPDATE
    SET risk = held.risk + excluded.risk, max_score = greatest(held.max_score, excluded.max_score),
        events = held.events + excluded.events, failures = held.failures + excluded.failures;
    INSERT INTO monitor.score_day AS held (day, tenth, logins, alerted)
    SELECT (occurred_at AT TIME ZONE 'UTC')::date, least(greatest(floor(score * 10), 0), 1000)::smallint,
           count(*), count(*) FILTER (WHERE alerted)
    FROM added
    GROUP BY 1, 2
    ORDER BY 1, 2
    ON CONFLICT (day, tenth) DO UPDATE
    SET logins = held.logins + excluded.logins, alerted = held.alerted + excluded.alerted;
    RETURN NULL;
END
$$;

-- For what is erased by the row; whole months go with monitor.drop_month.
CREATE FUNCTION monitor.sum_up_scores_again() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM monitor.account_day d
    USING (SELECT DISTINCT account_id, (occurred_at AT TIME ZONE 'UTC')::date AS day FROM removed) gone
    WHERE (d.account_id, d.day) = (gone.account_id, gone.day);
    INSERT INTO monitor.account_day (account_id, day, risk, max_score, events, failures)
    SELECT s.account_id, gone.day, sum(greatest(s.score - 2, 0)::double precision), max(s.score), count(*),
           count(*) FILTER (WHERE s.outcome = 'failure')
    FROM (SELECT DISTINCT account_id, (occurred_at AT TIME ZONE 'UTC')::date AS day FROM removed) gone
    JOIN monitor.login_score s ON s.account_id = gone.account_id
        AND s.occurred_at >= gone.day::timestamp AT TIME ZONE 'UTC'
        AND s.occurred_at < (gone.day + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2;
    RETURN NULL;
END
$$;

-- The triggers first: they lock writers out until this commits, so that the sums below miss nothing.
CREATE TRIGGER sum_up_scores AFTER INSERT ON monitor.login_score REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION monitor.sum_up_scores();
CREATE TRIGGER sum_up_scores_again AFTER DELETE ON monitor.login_score REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION monitor.sum_up_scores_again();

INSERT INTO monitor.account_day (account_id, day, risk, max_score, events, failures)
SELECT account_id, (occurred_at AT TIME ZONE 'UTC')::date, sum(greatest(score - 2, 0)::double precision),
       max(score), count(*), count(*) FILTER (WHERE outcome = 'failure')
FROM monitor.login_score
GROUP BY 1, 2;
INSERT INTO monitor.score_day (day, tenth, logins, alerted)
SELECT (occurred_at AT TIME ZONE 'UTC')::date, least(greatest(floor(score * 10), 0), 1000)::smallint,
       count(*), count(*) FILTER (WHERE alerted)
FROM monitor.login_score
GROUP BY 1, 2;

CREATE OR REPLACE VIEW reporting.user_risk AS
SELECT a.user_name, d.day, d.risk, d.max_score, d.events::bigint, d.failures::bigint, coalesce(t.alerts, 0) AS alerts
FROM monitor.account_day d
JOIN monitor.account a USING (account_id)
LEFT JOIN (
    SELECT account_id, (opened_at AT TIME ZONE 'UTC')::date AS day, count(*) AS alerts
    FROM monitor.alert
    GROUP BY 1, 2
) t USING (account_id, day);

-- An audited login is shown to reviewers although it did not alert; it says nothing about the alerts.
CREATE OR REPLACE VIEW reporting.detection_quality AS
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
    WHERE t.audit_chance IS NULL
) judged
GROUP BY week;

CREATE VIEW reporting.score_distribution AS
SELECT day, tenth / 10.0 AS score, logins, alerted
FROM monitor.score_day;
COMMENT ON VIEW reporting.score_distribution IS 'How many logins of each day had which score: one row per day (UTC) and tenth of a score. Outlives the scores.';
COMMENT ON COLUMN reporting.score_distribution.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.score_distribution.score IS 'The scores from here to 0.1 more; at 100, all that are higher.';
COMMENT ON COLUMN reporting.score_distribution.logins IS 'Logins with such a score.';
COMMENT ON COLUMN reporting.score_distribution.alerted IS 'Those of them that opened or joined an alert.';
