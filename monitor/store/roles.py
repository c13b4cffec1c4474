"""The database roles that processes take: what each may do is in ``migrations/sql``, who gets which in docs/sql.md."""

#: `monitor ingest`, `monitor pull`: puts logins in.
INGEST = "monitor_ingest"

#: The jobs that score, learn, calibrate, notify and prune: all but what people say about alerts, and who they are.
SCORER = "monitor_scorer"

#: The review pages and `monitor review`: reads, and writes what reviewers say.
WEB = "monitor_web"

#: `monitor sql`: reads schema reporting and nothing else.
REPORTING = "monitor_reporting"
