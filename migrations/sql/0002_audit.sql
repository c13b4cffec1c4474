-- The audit log: the only way in is monitor.audit_append, and monitor.audit_breaks tells where it was tampered with.

CREATE FUNCTION monitor.audit_hash(entry monitor.audit) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(entry.previous || convert_to(jsonb_build_array(
        entry.audit_id, (extract(epoch FROM entry.occurred_at) * 1000000)::bigint, entry.actor, entry.action,
        entry.subject, entry.details, entry.address)::text, 'UTF8'))
$$;

-- The lock makes the acts of a moment one after the other; it is held until the act itself commits or does not.
CREATE FUNCTION monitor.audit_append(actor text, action text, subject text, details jsonb, address text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry monitor.audit;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('monitor.audit', 0));
    SELECT coalesce(max(a.audit_id), 0) + 1 INTO entry.audit_id FROM monitor.audit a;
    SELECT a.hash INTO entry.previous FROM monitor.audit a WHERE a.audit_id = entry.audit_id - 1;
    entry.previous := coalesce(entry.previous, ''::bytea);
    entry.occurred_at := clock_timestamp();
    entry.actor := actor;
    entry.action := action;
    entry.subject := subject;
    entry.details := details;
    entry.address := address;
    entry.hash := monitor.audit_hash(entry);
    INSERT INTO monitor.audit SELECT entry.*;
    RETURN entry.audit_id;
END
$$;
REVOKE ALL ON FUNCTION monitor.audit_append(text, text, text, jsonb, text) FROM PUBLIC;

CREATE FUNCTION monitor.audit_breaks() RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT checked.audit_id
    FROM (
        SELECT a.audit_id, a.hash = monitor.audit_hash(a) AS whole,
               a.previous = coalesce(lag(a.hash) OVER chain, ''::bytea) AS chained,
               a.audit_id = coalesce(lag(a.audit_id) OVER chain, 0) + 1 AS following
        FROM monitor.audit a
        WINDOW chain AS (ORDER BY a.audit_id)
    ) checked
    WHERE NOT (checked.whole AND checked.chained AND checked.following)
    ORDER BY checked.audit_id
$$;

-- Whoever moves the threshold, a job or a person, leaves a trace.
CREATE FUNCTION monitor.audit_threshold() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM monitor.audit_append(NEW.decided_by, 'threshold', NEW.threshold_id::text,
        jsonb_build_object('value', NEW.value, 'basis', NEW.basis), 'database');
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_threshold AFTER INSERT ON monitor.threshold
FOR EACH ROW EXECUTE FUNCTION monitor.audit_threshold();
