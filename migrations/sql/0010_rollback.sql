-- Returning to an earlier threshold is for the command line, too; who runs it has the scorer's role.
GRANT EXECUTE ON FUNCTION monitor.threshold_rollback(bigint, text, interval) TO monitor_scorer;

-- For what the thresholds page asks "what if": the scores of alerts, and when logins were scored how high.
GRANT SELECT (segment, threshold, alerted) ON monitor.login_score TO monitor_web;
