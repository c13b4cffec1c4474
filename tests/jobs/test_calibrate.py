"""The threshold follows the budget, keeps its history, and stays where there is nothing to go by."""

from datetime import UTC, datetime, timedelta

import pytest
from companies import NOW, UNTIL, number, rows, settings_for
from sqlalchemy import Engine

from monitor.events import MonitorError
from monitor.jobs.calibrate import calibrate, propose, run
from monitor.jobs.review import review
from monitor.jobs.rollback import RollbackError, roll_back
from monitor.jobs.score import score

THRESHOLDS = "SELECT * FROM reporting.threshold ORDER BY threshold_id"
PER_DAY = """
    SELECT count(*) FROM (
        SELECT DISTINCT user_name, (occurred_at AT TIME ZONE 'UTC')::date
        FROM reporting.login_score WHERE score >= :value
    ) AS alerts
"""


@pytest.fixture
def scored(company: Engine) -> Engine:
    score(company, settings_for(company), NOW)
    return company


@pytest.mark.parametrize("budget", [0.5, 2.0])
def test_the_next_threshold_keeps_the_last_days_near_the_budget(scored: Engine, budget: float) -> None:
    settings, days = settings_for(scored, alerts_per_day=budget, audit_sample_per_day=0), 4
    for _ in range(3):  # what was expected of the one before counts as a day: it takes a few to forget it
        calibrate(scored, settings, NOW)
    threshold = rows(scored, THRESHOLDS).iloc[-1]
    assert threshold["decided_by"] == "calibrate"
    assert f"{budget:g} alerts a day" in threshold["basis"]
    assert budget * days / 2 - 1 <= number(scored, PER_DAY, value=threshold["value"]) <= budget * days * 2
    assert threshold["expected_alerts_per_day"] <= budget + 1e-9


def test_a_large_budget_never_alerts_on_what_is_ordinary(scored: Engine) -> None:
    calibrate(scored, settings_for(scored, alerts_per_day=1e6), NOW)
    assert rows(scored, THRESHOLDS)["value"].iloc[-1] == 2.0


def test_verdicts_are_counted_and_tell_the_precision_to_expect(scored: Engine) -> None:
    alerts = rows(scored, "SELECT alert_id FROM reporting.alert ORDER BY score DESC")["alert_id"][:4]
    for verdict, alert in zip(("confirm", "confirm", "confirm", "dismiss"), alerts, strict=True):
        review(scored, alert, verdict, "kim", None, NOW)
    calibrate(scored, settings_for(scored, alerts_per_day=0.5), NOW)
    threshold = rows(scored, THRESHOLDS).iloc[-1]
    assert threshold["reviews_used"] == 4
    assert 0.5 < threshold["expected_precision"] < 0.9
    quality = rows(scored, "SELECT * FROM reporting.detection_quality")
    assert (quality["confirmed"].sum(), quality["dismissed"].sum()) == (3, 1)


def test_a_threshold_that_would_not_move_makes_no_new_row(scored: Engine) -> None:
    calibrate(scored, settings_for(scored, alerts_per_day=0.5), NOW)
    again = calibrate(scored, settings_for(scored, alerts_per_day=0.5), NOW + timedelta(hours=1))
    assert "kept" in again
    assert len(rows(scored, THRESHOLDS)) == 2


def test_the_new_threshold_decides_about_the_next_logins_and_not_about_the_last(company: Engine) -> None:
    settings = settings_for(company, alerts_per_day=0.5)
    middle = UNTIL + timedelta(days=2)
    score(company, settings, NOW, until=middle)
    calibrate(company, settings, middle)
    score(company, settings, NOW)
    used = rows(company, "SELECT occurred_at < :middle AS early, threshold FROM reporting.login_score", middle=middle)
    first, second = rows(company, THRESHOLDS)["value"]
    assert first != second
    assert used.loc[used["early"], "threshold"].unique() == pytest.approx([first])
    assert used.loc[~used["early"], "threshold"].unique() == pytest.approx([second])


def test_without_scores_or_without_a_model_it_says_what_it_needs(company: Engine, database: Engine) -> None:
    assert "less than a day" in str(calibrate(company, settings_for(company), NOW)["kept"])
    with pytest.raises(MonitorError, match="monitor train"):
        calibrate(database, settings_for(database), NOW)


def test_the_scheduled_calibration_waits_for_the_first_training(database: Engine) -> None:
    assert run(database, settings_for(database), NOW) == {"waiting_for": "a model"}


def judge(engine: Engine, verdicts: str, reviewer: str = "kim", now: datetime = NOW) -> None:
    """Give the oddest alerts these verdicts: a letter each, c or d."""
    alerts = rows(engine, "SELECT alert_id FROM reporting.alert ORDER BY score DESC, alert_id")["alert_id"]
    for letter, alert in zip(verdicts, alerts, strict=False):
        review(engine, alert, {"c": "confirm", "d": "dismiss"}[letter], reviewer, None, now)


def test_a_dry_run_says_what_would_be_decided_and_which_verdicts_would_flip_and_changes_nothing(
    scored: Engine,
) -> None:
    judge(scored, "cdcddddcdddd")
    settings = settings_for(scored, alerts_per_day=0.5)
    before = rows(scored, THRESHOLDS)
    proposal = propose(scored, settings, NOW)
    assert rows(scored, THRESHOLDS).equals(before)
    assert proposal.next is not None
    assert proposal.flips is not None
    flips = len(proposal.flips.dismissed_that_would_not_alert) + len(proposal.flips.confirmed_that_would_not_alert)
    assert flips > 0
    assert any(line.startswith("dismissed that would not alert: ") for line in proposal.told())
    calibrate(scored, settings, NOW)
    assert rows(scored, THRESHOLDS)["value"].iloc[-1] == pytest.approx(proposal.next.rule.value)


def test_a_rollback_is_a_new_row_which_the_scheduled_calibration_leaves_alone_for_a_week(scored: Engine) -> None:
    settings = settings_for(scored, alerts_per_day=0.5)
    calibrate(scored, settings, NOW)
    first = rows(scored, THRESHOLDS).iloc[0]
    roll_back(scored, int(first["threshold_id"]), "kim")
    last = rows(scored, THRESHOLDS).iloc[-1]
    assert (last["value"], last["decided_by"], last["returns_to"]) == (first["value"], "kim", first["threshold_id"])
    real = datetime.now(UTC)
    held = run(scored, settings, real + timedelta(days=6))
    assert "held until" in str(held["kept"])
    assert held["proposed"] != held["threshold"], "the page says what would be decided"
    assert len(rows(scored, THRESHOLDS)) == 3
    decided = run(scored, settings, real + timedelta(days=8))
    assert "kept" not in decided
    assert decided["proposed"] == decided["threshold"]
    with pytest.raises(RollbackError, match="no threshold 999"):
        roll_back(scored, 999, "kim")


def test_verdicts_of_the_future_and_undone_ones_do_not_count_and_contradictions_are_told(scored: Engine) -> None:
    settings = settings_for(scored, alerts_per_day=0.5)
    judge(scored, "cd", now=NOW + timedelta(days=3))
    judge(scored, "ddd", "lou", NOW + timedelta(days=2))
    assert propose(scored, settings, NOW).next.reviews_used == 0
    told = propose(scored, settings, NOW + timedelta(days=4)).next
    assert told.reviews_used == 3
    assert told.spread["contradicted"] == 1
    assert told.spread["reviewers"] == 2
    alert = rows(scored, "SELECT alert_id FROM reporting.alert ORDER BY score DESC, alert_id")["alert_id"][0]
    review(scored, alert, "undo", "kim", None, NOW + timedelta(days=4))
    assert propose(scored, settings, NOW + timedelta(days=5)).next.reviews_used == 2


@pytest.mark.parametrize("verdicts", ["", "cccccccc", "dddddddd"])
def test_without_verdicts_of_either_kind_the_budget_decides_and_says_so(scored: Engine, verdicts: str) -> None:
    judge(scored, verdicts)
    settings = settings_for(scored, alerts_per_day=0.5)
    calibrate(scored, settings, NOW)
    assert "too few verdicts of either kind" in rows(scored, THRESHOLDS)["basis"].iloc[-1]


def test_reasons_dismissed_day_after_day_come_to_count_less_step_by_step(scored: Engine) -> None:
    judge(scored, "d" * 40)
    settings = settings_for(scored, alerts_per_day=0.5)
    least = []
    for day in range(1, 5):
        calibrate(scored, settings, NOW + timedelta(days=day, minutes=1))
        least.append(min(rows(scored, THRESHOLDS)["weights"].iloc[-1].values()))
    assert least[0] >= 0.85 - 1e-6, "one day moved a weight by more than its step"
    assert max(least) < 1.0
    assert least[-1] >= 0.25


def test_the_audit_sample_is_shown_as_low_alerts_drawn_the_same_each_time_and_learned_at_once(company: Engine) -> None:
    settings = settings_for(company, alerts_per_day=200.0, audit_sample_per_day=40.0)
    middle = UNTIL + timedelta(days=2)
    score(company, settings, NOW, until=middle)
    calibrate(company, settings, middle)
    audited = int(score(company, settings, NOW)["audited"])
    found = rows(
        company,
        """
        SELECT t.severity, s.alerted, s.score, s.threshold, v.learned_at IS NOT NULL AS learned
        FROM monitor.alert t JOIN monitor.alert_event v USING (alert_id)
        JOIN monitor.login_score s ON (s.account_id, s.source, s.event_id, s.occurred_at)
            = (v.account_id, v.source, v.event_id, v.occurred_at)
        WHERE t.audit_chance IS NOT NULL
        """,
    )
    assert len(found) == audited > 0
    assert set(found["severity"]) == {"low"}
    assert not found["alerted"].any()
    assert (found["score"] < found["threshold"]).all()
    assert found["learned"].all()
    hidden = "SELECT count(*) FROM reporting.alert WHERE audit_chance IS NOT NULL"
    assert number(company, hidden) == 0, "the reviewer is told before the verdict"
    certain = "SELECT alert_id FROM monitor.alert WHERE audit_chance = 1 LIMIT 1"
    review(company, rows(company, certain)["alert_id"].iloc[0], "dismiss", "kim", None, NOW)
    assert number(company, hidden) == 1
    told = calibrate(company, settings_for(company, alerts_per_day=0.5), NOW)
    assert "missed_a_week" in told
    last = rows(company, THRESHOLDS).iloc[-1]
    assert last["missed_low"] <= last["missed"] <= last["missed_high"]
