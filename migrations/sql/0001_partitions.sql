-- One partition a month (UTC) of login_event and login_score; retention drops whole months.

-- Creates the partitions for the month of a moment, unless they are there. Call it before inserting, in the same
-- transaction. A partition is made as a table of its own and then attached, because CREATE TABLE ... PARTITION OF
-- would lock out every reader of the parent. One advisory lock for all months: two loads that each need
-- several new months would otherwise wait for each other for ever.
CREATE FUNCTION monitor.ensure_month(moment timestamptz) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    lower_bound timestamptz := date_trunc('month', moment, 'UTC');
    upper_bound timestamptz := date_trunc('month', lower_bound + interval '32 days', 'UTC');
    suffix text := to_char(lower_bound AT TIME ZONE 'UTC', 'YYYYMM');
    parent text;
BEGIN
    IF to_regclass('monitor.login_event_' || suffix) IS NOT NULL
        AND to_regclass('monitor.login_score_' || suffix) IS NOT NULL THEN
        RETURN lower_bound;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('monitor.ensure_month', 0));
    FOREACH parent IN ARRAY ARRAY['login_event', 'login_score'] LOOP
        IF to_regclass(format('monitor.%I', parent || '_' || suffix)) IS NULL THEN
            EXECUTE format('CREATE TABLE monitor.%I (LIKE monitor.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                           parent || '_' || suffix, parent);
            EXECUTE format('ALTER TABLE monitor.%I ATTACH PARTITION monitor.%I FOR VALUES FROM (%L) TO (%L)',
                           parent, parent || '_' || suffix, lower_bound, upper_bound);
        END IF;
    END LOOP;
    RETURN lower_bound;
END
$$;

COMMENT ON FUNCTION monitor.ensure_month(timestamptz) IS
    'Creates the monthly partitions of login_event and login_score that hold this moment; returns the month''s first moment.';
