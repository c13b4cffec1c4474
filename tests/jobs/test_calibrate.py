"""The threshold follows the budget, keeps its history, and stays where there is nothing to go by."""

from datetime import timedelta

import pytest
from companies import NOW, UNTIL, number, rows, settings_for
from sqlalchemy import Engine

from monitor.events import MonitorError
from monitor.jobs.calibrate import calibrate, run
from monitor.jobs.review import review
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
