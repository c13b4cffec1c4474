-- Returning to an earlier threshold is for the command line, too; who runs it has the scorer's role.
GRANT EXECUTE ON FUNCTION monitor.threshold_rollback(bigint, text, interval) TO monitor_scorer;
