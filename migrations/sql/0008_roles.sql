-- What each process may do, and no more. The roles are groups: an operator grants them to logins (docs/sql.md), and the
-- processes take theirs with SET ROLE. Roles belong to the whole server: another database may have made them already,
-- or be making them now.

CREATE FUNCTION pg_temp.have_role(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        IF to_regrole(name) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN
            NULL;
    END;
    -- From PostgreSQL 16 on, who created a role is its member, and still may not take it.
    IF NOT pg_has_role(current_user, name,
                       CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) THEN
        EXECUTE format('GRANT %I TO %I', name, current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role % may not make or take role %; have an administrator run: CREATE ROLE % NOLOGIN; GRANT % TO %',
            current_user, name, quote_ident(name), quote_ident(name), quote_ident(current_user);
END
$$;

SELECT pg_temp.have_role(name)
FROM unnest(ARRAY['monitor_ingest', 'monitor_scorer', 'monitor_web', 'monitor_reporting']) AS name;

-- Temporary tables fill the disk: they are for the processes that load and score.
DO $$
BEGIN
    IF pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO monitor_ingest, monitor_scorer', current_database());
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
END
$$;

GRANT USAGE ON SCHEMA monitor TO monitor_ingest;
GRANT USAGE ON SCHEMA monitor, reporting TO monitor_scorer;
GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO monitor_scorer;
ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO monitor_scorer;
GRANT SELECT ON monitor.alembic_version TO monitor_ingest, monitor_scorer;

-- `monitor ingest`, `monitor pull`: puts logins in, and reads back no more than their keys.
GRANT SELECT (account_id), INSERT ON monitor.account TO monitor_ingest;
GRANT SELECT (account_id, source, event_id, occurred_at), INSERT ON monitor.login_event TO monitor_ingest;
GRANT INSERT ON monitor.unscored_event, monitor.rejected_record, monitor.job_run TO monitor_ingest;
GRANT SELECT, INSERT, UPDATE ON monitor.source_cursor, monitor.source_total TO monitor_ingest;
GRANT SELECT (account_id, forgotten_at) ON monitor.erasure TO monitor_ingest;
GRANT SELECT, INSERT ON monitor.pseudonym_key TO monitor_ingest;

-- `monitor score`, `train`, `calibrate`, `evaluate`, and the other jobs of `monitor run`: everything but what people
-- say about alerts, and who they are.
GRANT SELECT ON monitor.account, monitor.login_event, monitor.review, monitor.scoped_dismissal TO monitor_scorer;
GRANT SELECT, INSERT, DELETE ON monitor.quarantined_event TO monitor_scorer;
GRANT SELECT, DELETE ON monitor.unscored_event, monitor.rejected_record TO monitor_scorer;
GRANT SELECT, INSERT, UPDATE, DELETE ON monitor.account_state, monitor.population_state, monitor.traffic_state,
    monitor.delivery, monitor.job_run TO monitor_scorer;
GRANT SELECT, INSERT, UPDATE ON monitor.lease TO monitor_scorer;
GRANT SELECT, INSERT ON monitor.model, monitor.login_score, monitor.threshold, monitor.recalibration, monitor.alert,
    monitor.alert_event TO monitor_scorer;
GRANT UPDATE (status) ON monitor.model TO monitor_scorer;
GRANT UPDATE (opened_at, last_event_at, score, severity, headline, segment, event_count, campaign_id,
    updated_at)
    ON monitor.alert TO monitor_scorer;
GRANT UPDATE (learned_at) ON monitor.alert_event TO monitor_scorer;

-- What takes the owner's rights is a function, for the role that needs it.
ALTER FUNCTION monitor.ensure_month(timestamptz) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION monitor.audit_threshold() SECURITY DEFINER;

CREATE FUNCTION monitor.drop_month(month timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lower_bound timestamptz := date_trunc('month', month, 'UTC');
    upper_bound timestamptz := date_trunc('month', lower_bound + interval '32 days', 'UTC');
    suffix text := to_char(lower_bound AT TIME ZONE 'UTC', 'YYYYMM');
BEGIN
    IF upper_bound > clock_timestamp() THEN
        RAISE EXCEPTION 'the month % is not over', suffix;
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS monitor.%I', 'login_event_' || suffix);
    EXECUTE format('DROP TABLE IF EXISTS monitor.%I', 'login_score_' || suffix);
    DELETE FROM monitor.account_day
    WHERE day >= (lower_bound AT TIME ZONE 'UTC')::date AND day < (upper_bound AT TIME ZONE 'UTC')::date;
END
$$;
COMMENT ON FUNCTION monitor.drop_month(timestamptz) IS
    'Drops a month of events and scores, which must be over, and what was summed up of it by account.';

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA monitor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION monitor.ensure_month(timestamptz) TO monitor_ingest;
GRANT EXECUTE ON FUNCTION monitor.drop_month(timestamptz) TO monitor_scorer;
GRANT EXECUTE ON FUNCTION monitor.audit_hash(monitor.audit), monitor.audit_breaks() TO monitor_web;
