-- monitor_web is what the review pages may do; they take it with SET ROLE as soon as they are connected. Roles belong
-- to the whole server: another database may have made it already, or be making it now.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor_web') THEN
        CREATE ROLE monitor_web NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role % may not create roles; have an administrator run: CREATE ROLE monitor_web NOLOGIN; GRANT monitor_web TO %',
            current_user, quote_ident(current_user);
END
$$;

DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'monitor_web', 'MEMBER') THEN
        EXECUTE format('GRANT monitor_web TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'role % may not use role monitor_web; have an administrator run: GRANT monitor_web TO %',
            current_user, quote_ident(current_user);
END
$$;

GRANT USAGE ON SCHEMA monitor, reporting TO monitor_web;
GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO monitor_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO monitor_web;

GRANT SELECT ON monitor.alembic_version, monitor.account, monitor.alert, monitor.alert_event, monitor.review,
    monitor.threshold, monitor.lease, monitor.unscored_event, monitor.quarantined_event, monitor.rejected_record,
    monitor.reviewer, monitor.web_session, monitor.sign_in_try, monitor.web_secret, monitor.comment,
    monitor.assignment, monitor.scoped_dismissal, monitor.audit TO monitor_web;
GRANT SELECT (occurred_at) ON monitor.login_event TO monitor_web;
GRANT SELECT (occurred_at, model_id, score, contribution) ON monitor.login_score TO monitor_web;
GRANT SELECT (detector, status, trained_until) ON monitor.model TO monitor_web;

GRANT INSERT ON monitor.review, monitor.comment, monitor.assignment, monitor.scoped_dismissal, monitor.web_session,
    monitor.sign_in_try TO monitor_web;
GRANT UPDATE (status, updated_at) ON monitor.alert TO monitor_web;
GRANT UPDATE (assignee, assigned_by, assigned_at) ON monitor.assignment TO monitor_web;
GRANT UPDATE (withdrawn_at) ON monitor.scoped_dismissal TO monitor_web;
GRANT UPDATE (password_hash, totp_counter, must_change, password_changed_at) ON monitor.reviewer TO monitor_web;
GRANT UPDATE (seen_at), DELETE ON monitor.web_session TO monitor_web;
GRANT DELETE ON monitor.sign_in_try TO monitor_web;
GRANT EXECUTE ON FUNCTION monitor.audit_append(text, text, text, jsonb, text) TO monitor_web;
