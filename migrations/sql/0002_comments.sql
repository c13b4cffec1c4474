COMMENT ON TABLE monitor.reviewer IS 'Who may sign in to the review pages, with argon2 password hash and TOTP secret.';
COMMENT ON TABLE monitor.web_session IS 'Signed-in browsers; deleting a row signs it out. The token itself is in the cookie alone.';
COMMENT ON TABLE monitor.sign_in_try IS 'Tries to sign in, for limits that hold across processes; kept for a month.';
COMMENT ON TABLE monitor.web_secret IS 'The one key that signs cookies and forms.';
COMMENT ON TABLE monitor.comment IS 'What reviewers say to each other about an alert.';
COMMENT ON TABLE monitor.assignment IS 'Who looks after an alert.';
COMMENT ON TABLE monitor.scoped_dismissal IS 'What dismissals vouch for: one value of one feature of an account, until a moment.';
COMMENT ON TABLE monitor.audit IS 'Every act of people, and every change of the threshold: append-only, chained by hashes. monitor.audit_breaks() checks it.';

COMMENT ON VIEW reporting.model IS 'Trained detectors, without their weights.';
COMMENT ON COLUMN reporting.model.model_id IS 'Identity of the model.';
COMMENT ON COLUMN reporting.model.detector IS 'Kind of detector.';
COMMENT ON COLUMN reporting.model.status IS 'active (it scores), retired (it did), or refused (no better than the active one when it was trained).';
COMMENT ON COLUMN reporting.model.features IS 'The features it reads, in the order of login_score.contribution.';
COMMENT ON COLUMN reporting.model.metadata IS 'Losses, data range, library versions and settings, as JSON.';
COMMENT ON COLUMN reporting.model.trained_until IS 'It was trained on events before this moment.';
COMMENT ON COLUMN reporting.model.created_at IS 'When it was trained.';

COMMENT ON VIEW reporting.scoped_dismissal IS 'What dismissals vouch for: one value of one feature of an account, until a moment.';
COMMENT ON COLUMN reporting.scoped_dismissal.scope_id IS 'The verdict (review_id) that carries the scope.';
COMMENT ON COLUMN reporting.scoped_dismissal.alert_id IS 'The alert that was dismissed.';
COMMENT ON COLUMN reporting.scoped_dismissal.user_name IS 'The account that the scope holds for.';
COMMENT ON COLUMN reporting.scoped_dismissal.feature IS 'The aspect of a login, for example asn or city.';
COMMENT ON COLUMN reporting.scoped_dismissal.value IS 'The value that is known to be legitimate.';
COMMENT ON COLUMN reporting.scoped_dismissal.reviewer IS 'Who vouches for it.';
COMMENT ON COLUMN reporting.scoped_dismissal.created_at IS 'Since when it holds.';
COMMENT ON COLUMN reporting.scoped_dismissal.valid_until IS 'When it ends.';
COMMENT ON COLUMN reporting.scoped_dismissal.withdrawn_at IS 'When the dismissal was undone or replaced; NULL while it stands.';

COMMENT ON VIEW reporting.comment IS 'What reviewers say to each other about an alert.';
COMMENT ON COLUMN reporting.comment.comment_id IS 'Identity of the comment.';
COMMENT ON COLUMN reporting.comment.alert_id IS 'The alert.';
COMMENT ON COLUMN reporting.comment.author IS 'Who wrote it.';
COMMENT ON COLUMN reporting.comment.body IS 'What they wrote.';
COMMENT ON COLUMN reporting.comment.created_at IS 'When.';
