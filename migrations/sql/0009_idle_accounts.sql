-- Retention takes accounts away of which neither a login nor an alert is left.
GRANT DELETE ON monitor.account TO monitor_scorer;
