-- What `monitor sql` needs beside the views.

CREATE VIEW reporting.schema_version AS
SELECT version_num AS revision
FROM monitor.alembic_version;
COMMENT ON VIEW reporting.schema_version IS 'The revision of the schema: one row.';
COMMENT ON COLUMN reporting.schema_version.revision IS 'Number of the latest migration.';

-- Runs a query with the rights of monitor_reporting whoever is connected: within a SECURITY DEFINER function PostgreSQL
-- refuses every way to take another role. Restored under another owner it would lend that owner's rights; hence the
-- check.
CREATE FUNCTION reporting.answer(query text) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = reporting, pg_catalog, pg_temp AS $$
BEGIN
    IF current_user <> 'monitor_reporting' THEN
        RAISE EXCEPTION 'reporting.answer must belong to monitor_reporting, not to %', current_user;
    END IF;
    RETURN QUERY EXECUTE query;
END
$$;
COMMENT ON FUNCTION reporting.answer(text) IS 'The rows of one query, run with the rights of monitor_reporting: for `monitor sql`.';
REVOKE ALL ON FUNCTION reporting.answer(text) FROM PUBLIC;
GRANT CREATE ON SCHEMA reporting TO monitor_reporting;
ALTER FUNCTION reporting.answer(text) OWNER TO monitor_reporting;
REVOKE CREATE ON SCHEMA reporting FROM monitor_reporting;
