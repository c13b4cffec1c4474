-- What the review pages ask often. Indexes only, and a function beside another: the version before does not notice.

-- The worst alert of a campaign stands for all of it; the index before had the campaign alone.
CREATE INDEX alert_campaign_worst ON monitor.alert (campaign_id, status, score DESC, alert_id DESC)
    WHERE campaign_id IS NOT NULL;
DROP INDEX monitor.alert_campaign;

-- Alerts by one of their strongest reasons.
CREATE INDEX alert_event_reasons ON monitor.alert_event
    USING gin (jsonb_path_query_array(attribution, '$[0 to 2].feature'));

-- What a reviewer said lately, to be undone.
CREATE INDEX review_reviewer ON monitor.review (reviewer, reviewed_at);

-- Some rows of the audit log, each with the one before it: what a page shows is checked at the cost of the page.
CREATE FUNCTION monitor.audit_breaks(entries bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.audit_id
    FROM monitor.audit a
    LEFT JOIN monitor.audit p ON p.audit_id = a.audit_id - 1
    WHERE a.audit_id = ANY(entries)
      AND NOT (a.hash = monitor.audit_hash(a) AND a.previous = coalesce(p.hash, ''::bytea)
               AND (a.audit_id = 1 OR p.audit_id IS NOT NULL))
    ORDER BY a.audit_id
$$;
REVOKE ALL ON FUNCTION monitor.audit_breaks(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION monitor.audit_breaks(bigint[]) TO monitor_web;
