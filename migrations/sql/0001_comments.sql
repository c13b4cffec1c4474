-- What an analyst reads in `\d+` or a catalogue.

COMMENT ON SCHEMA monitor IS 'Login anomaly monitor: its own tables. Read the views of schema reporting instead; these may change.';
COMMENT ON SCHEMA reporting IS 'Login anomaly monitor: views for analysts and dashboards. Names and columns are stable.';

COMMENT ON TABLE monitor.account IS 'Every user name ever seen; account_id is a hash of it, shard (0-255) the unit of parallel work.';
COMMENT ON TABLE monitor.login_event IS 'Login events as received and validated, one partition per month of occurred_at (UTC).';
COMMENT ON TABLE monitor.unscored_event IS 'Queue: events that are stored but not scored or learned yet.';
COMMENT ON TABLE monitor.quarantined_event IS 'Events that could not be scored, with the reason.';
COMMENT ON TABLE monitor.rejected_record IS 'Input records that were no valid login event, with the reason.';
COMMENT ON TABLE monitor.source_cursor IS 'How far each configured source has been pulled.';
COMMENT ON TABLE monitor.account_state IS 'What is usual for each account: decayed weights per feature and value, and its latest logins.';
COMMENT ON TABLE monitor.population_state IS 'How common each value of each feature is across accounts: what an account with little history backs off to.';
COMMENT ON TABLE monitor.traffic_state IS 'Fading sums of attempts, failures and accounts by address and by network: guessing and spraying, seen across accounts.';
COMMENT ON TABLE monitor.model IS 'Trained detectors (safetensors); exactly one is active once any was trained.';
COMMENT ON TABLE monitor.login_score IS 'One row per scored login, one partition per month of occurred_at (UTC).';
COMMENT ON TABLE monitor.threshold IS 'Every alert threshold ever in force and why; the latest is in force.';
COMMENT ON TABLE monitor.alert IS 'Incidents: neighbouring odd logins of one account, for a person to review.';
COMMENT ON TABLE monitor.alert_event IS 'The logins of each alert, with a copy of what they showed.';
COMMENT ON TABLE monitor.review IS 'Every verdict ever given on an alert; the latest one counts.';
COMMENT ON TABLE monitor.job_run IS 'Every run of every scheduled job.';
COMMENT ON TABLE monitor.lease IS 'Which scheduler process leads; a lease ends at expires_at by the database''s clock.';

COMMENT ON VIEW reporting.login_event IS 'Login events as received and validated, one row per login attempt.';
COMMENT ON COLUMN reporting.login_event.source IS 'Name of the source the event came from; unique together with event_id.';
COMMENT ON COLUMN reporting.login_event.event_id IS 'Identity of the event within its source; derived from the content where the source has none.';
COMMENT ON COLUMN reporting.login_event.occurred_at IS 'When the login happened.';
COMMENT ON COLUMN reporting.login_event.user_name IS 'The account that was logged in to, as the source writes it.';
COMMENT ON COLUMN reporting.login_event.outcome IS 'success or failure.';
COMMENT ON COLUMN reporting.login_event.ip IS 'Address of the client. NULL = unknown, as in every column below.';
COMMENT ON COLUMN reporting.login_event.country IS 'Country of the client, ISO 3166-1 alpha-2.';
COMMENT ON COLUMN reporting.login_event.region IS 'Region or state of the client, as the source writes it.';
COMMENT ON COLUMN reporting.login_event.city IS 'City of the client, as the source writes it.';
COMMENT ON COLUMN reporting.login_event.latitude IS 'Latitude of the client, degrees north.';
COMMENT ON COLUMN reporting.login_event.longitude IS 'Longitude of the client, degrees east.';
COMMENT ON COLUMN reporting.login_event.asn IS 'Autonomous system number of the client''s network.';
COMMENT ON COLUMN reporting.login_event.user_agent IS 'User agent string of the client, cut to 512 characters.';
COMMENT ON COLUMN reporting.login_event.browser IS 'Browser family parsed from user_agent, without version.';
COMMENT ON COLUMN reporting.login_event.os IS 'Operating system family parsed from user_agent, without version.';
COMMENT ON COLUMN reporting.login_event.device_id IS 'Identifier of the device, as the source writes it.';
COMMENT ON COLUMN reporting.login_event.auth_method IS 'How the user authenticated: password, publickey, mfa, ...';
COMMENT ON COLUMN reporting.login_event.application IS 'The application or host that was logged in to.';
COMMENT ON COLUMN reporting.login_event.rtt_ms IS 'Network round-trip time to the client in milliseconds.';
COMMENT ON COLUMN reporting.login_event.received_at IS 'When the monitor stored the event.';

COMMENT ON VIEW reporting.login_score IS 'How odd each login was for its account, one row per scored login.';
COMMENT ON COLUMN reporting.login_score.source IS 'Name of the source the event came from.';
COMMENT ON COLUMN reporting.login_score.event_id IS 'Identity of the event within its source.';
COMMENT ON COLUMN reporting.login_score.user_name IS 'The account that was logged in to.';
COMMENT ON COLUMN reporting.login_score.occurred_at IS 'When the login happened.';
COMMENT ON COLUMN reporting.login_score.outcome IS 'success or failure.';
COMMENT ON COLUMN reporting.login_score.score IS 'Minus log10 of the share of ordinary logins at least this odd: 3 is one in a thousand. Comparable across accounts and models.';
COMMENT ON COLUMN reporting.login_score.raw IS 'The detector''s uncalibrated oddness; the contributions in reporting.attribution add up to it. Comparable within one model only.';
COMMENT ON COLUMN reporting.login_score.threshold IS 'The score from which a login alerted when this one was scored.';
COMMENT ON COLUMN reporting.login_score.alerted IS 'Whether this login opened or joined an alert.';
COMMENT ON COLUMN reporting.login_score.model_id IS 'The model that scored this login.';
COMMENT ON COLUMN reporting.login_score.scored_at IS 'When the login was scored.';

COMMENT ON VIEW reporting.attribution IS 'Why each login got its score: one row per login and feature that contributed. Filter by occurred_at or user_name: this is the largest view.';
COMMENT ON COLUMN reporting.attribution.source IS 'Name of the source the event came from.';
COMMENT ON COLUMN reporting.attribution.event_id IS 'Identity of the event within its source.';
COMMENT ON COLUMN reporting.attribution.user_name IS 'The account that was logged in to.';
COMMENT ON COLUMN reporting.attribution.occurred_at IS 'When the login happened.';
COMMENT ON COLUMN reporting.attribution.feature IS 'The aspect of the login, for example country, device or hour.';
COMMENT ON COLUMN reporting.attribution.contribution IS 'This feature''s part of raw; the parts of a login add up to its raw.';
COMMENT ON COLUMN reporting.attribution.observed IS 'What happened. NULL where neither the explanation nor the event holds it.';
COMMENT ON COLUMN reporting.attribution.usual IS 'What is usual for the account; kept for logins worth explaining only.';

COMMENT ON VIEW reporting.alert IS 'Incidents for review: neighbouring odd logins of one account.';
COMMENT ON COLUMN reporting.alert.alert_id IS 'Identity of the alert, as `monitor review` takes it.';
COMMENT ON COLUMN reporting.alert.user_name IS 'The account concerned.';
COMMENT ON COLUMN reporting.alert.opened_at IS 'When the first login of the alert happened.';
COMMENT ON COLUMN reporting.alert.last_event_at IS 'When the latest login of the alert happened.';
COMMENT ON COLUMN reporting.alert.score IS 'The highest score among its logins.';
COMMENT ON COLUMN reporting.alert.severity IS 'low, medium, high or critical.';
COMMENT ON COLUMN reporting.alert.status IS 'open, confirmed (it was an attack) or dismissed (it was legitimate).';
COMMENT ON COLUMN reporting.alert.headline IS 'What was odd, in a sentence.';
COMMENT ON COLUMN reporting.alert.event_count IS 'How many logins the alert holds.';
COMMENT ON COLUMN reporting.alert.campaign_id IS 'Shared by alerts of several accounts that look like one attack; NULL for most.';
COMMENT ON COLUMN reporting.alert.thin_history IS 'Whether the account had too little history for a judgement of its own, so that it was compared with everyone.';
COMMENT ON COLUMN reporting.alert.created_at IS 'When the monitor opened the alert.';
COMMENT ON COLUMN reporting.alert.updated_at IS 'When the alert last changed.';

COMMENT ON VIEW reporting.alert_event IS 'The logins of each alert, with a copy of what they showed; outlives the events themselves.';
COMMENT ON COLUMN reporting.alert_event.alert_id IS 'The alert.';
COMMENT ON COLUMN reporting.alert_event.event_id IS 'Identity of the event within its source.';
COMMENT ON COLUMN reporting.alert_event.source IS 'Name of the source the event came from.';
COMMENT ON COLUMN reporting.alert_event.user_name IS 'The account that was logged in to.';
COMMENT ON COLUMN reporting.alert_event.occurred_at IS 'When the login happened.';
COMMENT ON COLUMN reporting.alert_event.score IS 'The login''s score.';
COMMENT ON COLUMN reporting.alert_event.event IS 'The event''s canonical columns as JSON.';
COMMENT ON COLUMN reporting.alert_event.attribution IS 'The login''s attributions as JSON, largest contribution first.';

COMMENT ON VIEW reporting.review IS 'Every verdict ever given; the latest one of an alert counts.';
COMMENT ON COLUMN reporting.review.review_id IS 'Identity of the verdict.';
COMMENT ON COLUMN reporting.review.alert_id IS 'The alert that was judged.';
COMMENT ON COLUMN reporting.review.verdict IS 'confirm (an attack), dismiss (legitimate) or undo (take the former verdict back).';
COMMENT ON COLUMN reporting.review.reviewer IS 'Who judged.';
COMMENT ON COLUMN reporting.review.reason IS 'Why, in a word from a list, for example travel or new device.';
COMMENT ON COLUMN reporting.review.note IS 'Why, in the reviewer''s words.';
COMMENT ON COLUMN reporting.review.reviewed_at IS 'When the verdict was given.';

COMMENT ON VIEW reporting.threshold IS 'Every alert threshold ever decided, with its reasons; the latest is in force.';
COMMENT ON COLUMN reporting.threshold.threshold_id IS 'Identity of the decision.';
COMMENT ON COLUMN reporting.threshold.value IS 'The score from which a login alerts.';
COMMENT ON COLUMN reporting.threshold.decided_at IS 'When it was decided.';
COMMENT ON COLUMN reporting.threshold.decided_by IS 'The job or person that decided.';
COMMENT ON COLUMN reporting.threshold.basis IS 'What the decision rests on.';
COMMENT ON COLUMN reporting.threshold.reviews_used IS 'How many verdicts went into it.';
COMMENT ON COLUMN reporting.threshold.expected_precision IS 'Expected share of alerts that are attacks; NULL while too few verdicts say.';
COMMENT ON COLUMN reporting.threshold.expected_alerts_per_day IS 'Expected number of alerts a day.';
COMMENT ON COLUMN reporting.threshold.model_id IS 'The model it was decided with.';

COMMENT ON VIEW reporting.baseline IS 'What is usual for each account: one row per feature and value.';
COMMENT ON COLUMN reporting.baseline.user_name IS 'The account.';
COMMENT ON COLUMN reporting.baseline.feature IS 'The aspect of a login, for example country or device.';
COMMENT ON COLUMN reporting.baseline.value IS 'A value seen for it.';
COMMENT ON COLUMN reporting.baseline.share IS 'Share of the account''s logins that had this value, recent logins weighing more.';
COMMENT ON COLUMN reporting.baseline.weight IS 'Number of logins with this value, each halved per half-life since.';
COMMENT ON COLUMN reporting.baseline.last_seen_at IS 'The latest login that had this value.';
COMMENT ON COLUMN reporting.baseline.updated_at IS 'The moment to which weight has decayed.';

COMMENT ON VIEW reporting.user_risk IS 'Risk per account and day (UTC), from the scores.';
COMMENT ON COLUMN reporting.user_risk.user_name IS 'The account.';
COMMENT ON COLUMN reporting.user_risk.day IS 'The day, UTC.';
COMMENT ON COLUMN reporting.user_risk.risk IS 'Sum over the day''s logins of what their score exceeds 2 (one in a hundred) by: many mildly odd logins count as well as one very odd one.';
COMMENT ON COLUMN reporting.user_risk.max_score IS 'The day''s highest score.';
COMMENT ON COLUMN reporting.user_risk.events IS 'Logins scored.';
COMMENT ON COLUMN reporting.user_risk.failures IS 'Logins scored that failed.';
COMMENT ON COLUMN reporting.user_risk.alerts IS 'Alerts that opened that day.';

COMMENT ON VIEW reporting.detection_quality IS 'How the alerts of each week were judged.';
COMMENT ON COLUMN reporting.detection_quality.week IS 'Monday of the week (UTC) in which the alerts opened.';
COMMENT ON COLUMN reporting.detection_quality.alerts IS 'Alerts that opened.';
COMMENT ON COLUMN reporting.detection_quality.reviewed IS 'Alerts with a verdict.';
COMMENT ON COLUMN reporting.detection_quality.confirmed IS 'Alerts confirmed as attacks.';
COMMENT ON COLUMN reporting.detection_quality.dismissed IS 'Alerts dismissed as legitimate.';
COMMENT ON COLUMN reporting.detection_quality."precision" IS 'confirmed / reviewed; NULL while none was reviewed.';

COMMENT ON VIEW reporting.job_run IS 'Every run of every scheduled job.';
COMMENT ON COLUMN reporting.job_run.run_id IS 'Identity of the run.';
COMMENT ON COLUMN reporting.job_run.job IS 'pull, score, calibrate, train or prune.';
COMMENT ON COLUMN reporting.job_run.status IS 'running, succeeded, failed, or abandoned (it exceeded its deadline or its process died).';
COMMENT ON COLUMN reporting.job_run.started_at IS 'When the run started.';
COMMENT ON COLUMN reporting.job_run.finished_at IS 'When it ended or was given up; NULL while it runs.';
COMMENT ON COLUMN reporting.job_run.seconds IS 'How long it ran.';
COMMENT ON COLUMN reporting.job_run.error IS 'Why it failed, in a line.';
COMMENT ON COLUMN reporting.job_run.counts IS 'What it did, as JSON.';
