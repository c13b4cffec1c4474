-- monitor_reporting reads the reporting views and nothing else. Roles belong to the whole server: another database
-- may have made it already, or be making it now.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor_reporting') THEN
        CREATE ROLE monitor_reporting NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role % may not create roles; have an administrator run: CREATE ROLE monitor_reporting NOLOGIN; GRANT monitor_reporting TO %',
            current_user, quote_ident(current_user);
END
$$;

-- `monitor sql` takes the role with SET ROLE.
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'monitor_reporting', 'MEMBER') THEN
        EXECUTE format('GRANT monitor_reporting TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role % may not use role monitor_reporting; have an administrator run: GRANT monitor_reporting TO %',
            current_user, quote_ident(current_user);
END
$$;

GRANT USAGE ON SCHEMA reporting TO monitor_reporting;
GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO monitor_reporting;
ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO monitor_reporting;
