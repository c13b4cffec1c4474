"""How many decisions a threshold costs, what lies below it, and whether the score still means what it says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitor.calibration import Judgements, Recent
from monitor.calibration.budget import Held, decisions, lowest_within, per_day
from monitor.calibration.drift import LARGEST_FACTOR, recalibration, shifted
from monitor.calibration.missed import estimate, plan
from monitor.rule import AlertRule
from monitor.tails import Tail

UNTIL = datetime(2026, 3, 15, tzinfo=UTC)
DAYS = 10
SINCE = UNTIL - timedelta(days=DAYS)
RULE, VALUE = AlertRule(2.0), 2.5
ORDINARY = Tail.fit(np.random.default_rng(0).exponential(size=200_000))


def recent(score: np.ndarray, a_day: int = 1_000, **columns: np.ndarray) -> Recent:
    """Odd logins of as many accounts, spread evenly over ten days of ``a_day`` logins each."""
    count = len(score)
    raw = np.array([raw_of(one) for one in score])
    given = {
        "account": np.arange(count),
        "time": SINCE.timestamp() + (np.arange(count) + 0.5) / count * DAYS * 86_400,
        "alert": np.full(count, -1),
        "campaign": np.full(count, -1),
        "standing": np.full(count, "", object),
    } | columns
    return Recent(
        ("only",),
        evidence=raw[:, None].astype(np.float32),
        raw=raw,
        score=score,
        same=np.ones(count, bool),
        segment=np.full(count, "people", object),
        totals=(a_day,) * DAYS,
        since=SINCE,
        until=UNTIL,
        **given,
    )


def raw_of(score: float) -> float:
    return float(score * np.log(10))


def ordinary_scores(count: int, factor: float = 1.0) -> np.ndarray:
    """Scores ≥ 1 of ``count`` ordinary logins, ``factor`` times as many as there should be."""
    share = (np.arange(int(count * 0.1 * factor)) + 0.5) / (count * factor)
    return -np.log10(np.random.default_rng(1).permutation(share) * 1.0)


def test_the_lowest_threshold_within_the_budget_makes_about_as_many_decisions() -> None:
    logins = recent(ordinary_scores(10_000))
    margin, held = logins.margins(ORDINARY, RULE), Held(2.5, 3.0)
    value = lowest_within(logins, margin, 5.0, held)
    assert per_day(logins, margin, value, held, 5.0) <= 5.0
    assert per_day(logins, margin, value - 0.05, held, 5.0) > 5.0
    assert decisions(logins, margin, value).sum() == pytest.approx(50, abs=8)


def test_a_campaign_and_an_incident_are_one_decision_each() -> None:
    score = np.full(6, 4.0)
    account = np.array([0, 0, 1, 2, 3, 4])
    campaign = np.array([-1, -1, -1, 7, 7, 7])
    time = SINCE.timestamp() + np.array([0.0, 3_600, 0, 0, 60, 120])
    logins = recent(score, account=account, campaign=campaign, time=time)
    assert decisions(logins, logins.margins(ORDINARY, RULE), 3.0).sum() == 3


def test_what_follows_a_verdict_is_another_decision() -> None:
    time = SINCE.timestamp() + np.array([0.0, 3_600, 7_200])
    logins = recent(np.full(3, 4.0), account=np.zeros(3, int), alert=np.array([5, 6, -1]), time=time)
    assert decisions(logins, logins.margins(ORDINARY, RULE), 3.0).sum() == 2


def test_decisions_are_counted_by_the_weights_of_then() -> None:
    """Weights learned from verdicts on these very logins would make them look rarer than tomorrow's will be."""
    logins = recent(np.full(3, 4.0))
    halved = replace(RULE, weights={"only": 0.5})
    assert (logins.margins(ORDINARY, halved) < 3.0).all()
    assert logins.given(ORDINARY, halved) == pytest.approx(logins.score, abs=0.1)


def test_one_great_attack_does_not_blind_the_fortnight_after_it() -> None:
    quiet = ordinary_scores(10_000)
    attack = np.full(300, 6.0)
    time = np.concatenate([recent(quiet).time, np.full(300, UNTIL.timestamp() - 60)])
    score = np.concatenate([quiet, attack])
    calm, stormy = recent(quiet), recent(score, account=np.arange(len(score)), time=time)
    held = Held(2.5, 5.0)
    before = lowest_within(calm, calm.margins(ORDINARY, RULE), 5.0, held)
    after = lowest_within(stormy, stormy.margins(ORDINARY, RULE), 5.0, held)
    assert before < after < before + 0.3


def test_ordinary_scores_are_left_alone_and_shifted_ones_are_brought_back() -> None:
    calm = recent(ordinary_scores(10_000))
    assert recalibration(calm, calm.margins(ORDINARY, RULE), ORDINARY, VALUE) is None
    moved = recent(ordinary_scores(10_000, factor=2.0))
    found = recalibration(moved, moved.margins(ORDINARY, RULE), ORDINARY, VALUE)
    assert found is not None
    assert found.factor == pytest.approx(2.0, rel=0.25)
    again = recalibration(moved, moved.margins(found.tail, RULE), found.tail, VALUE)
    assert again is None or again.factor == pytest.approx(1.0, abs=0.35)


def test_what_alerts_what_was_confirmed_and_a_flood_from_few_accounts_move_no_score() -> None:
    quiet = ordinary_scores(10_000)
    time = np.concatenate([recent(quiet).time, np.full(2_000, UNTIL.timestamp() - 60)])
    few = recent(
        np.concatenate([quiet, np.full(2_000, 1.8)]),
        account=np.concatenate([np.arange(len(quiet)), np.full(2_000, 99_999)]),
        time=time,
    )
    assert recalibration(few, few.margins(ORDINARY, RULE), ORDINARY, VALUE) is None
    for odd, standing in ((3.0, "open"), (3.0, ""), (1.8, "confirmed")):
        marks = np.array([""] * len(quiet) + [standing] * 2_000, object)
        many = recent(np.concatenate([quiet, np.full(2_000, odd)]), time=time, standing=marks)
        assert recalibration(many, many.margins(ORDINARY, RULE), ORDINARY, VALUE) is None, (odd, standing)


def test_a_weekend_as_odd_as_the_one_before_is_no_drift_and_an_odder_one_is() -> None:
    quiet = ordinary_scores(10_000)
    time = recent(quiet).time

    def with_odd(*days: tuple[int, int]) -> Recent:
        """So many more odd logins in the 24 hours that ended so many days ago."""
        extra = [np.full(count, UNTIL.timestamp() - (ago + 0.5) * 86_400) for count, ago in days]
        more = sum(count for count, _ in days)
        return recent(np.append(quiet, np.full(more, 1.8)), time=np.concatenate([time, *extra]))

    usual, odder = with_odd((60, 0), (60, 7)), with_odd((120, 0))
    assert recalibration(usual, usual.margins(ORDINARY, RULE), ORDINARY, VALUE) is None
    found = recalibration(odder, odder.margins(ORDINARY, RULE), ORDINARY, VALUE)
    assert found is not None
    assert (UNTIL - found.since).days == 1
    assert found.factor > 2


def test_a_score_that_was_just_calibrated_waits_for_days_that_mean_the_same() -> None:
    moved = recent(ordinary_scores(10_000, factor=3.0))
    fresh = replace(moved, same=moved.time > UNTIL.timestamp() - 43_200)
    assert recalibration(moved, moved.margins(ORDINARY, RULE), ORDINARY, VALUE) is not None
    assert recalibration(fresh, fresh.margins(ORDINARY, RULE), ORDINARY, VALUE) is None


def test_a_shift_keeps_the_order_and_is_bounded() -> None:
    x = np.linspace(0, 40, 1_000)
    for factor in (1 / LARGEST_FACTOR, 0.8, 1.5, LARGEST_FACTOR):
        nats = shifted(ORDINARY, factor)(x)
        assert (np.diff(nats) >= 0).all()
        assert nats[0] >= 0
        far = ORDINARY(x) > np.log(100)
        assert nats[far] == pytest.approx(ORDINARY(x)[far] - np.log(factor))


def judged(margin: np.ndarray, confirmed: np.ndarray) -> Judgements:
    count = len(margin)
    everything, nothing = np.ones(count, bool), np.zeros(count, bool)
    return Judgements(
        ("only",), time=np.zeros(count), evidence=np.zeros((count, 1), np.float32), raw=np.zeros(count),
        score=2.5 + margin, same=everything, segment=np.full(count, "people", object),
        alert=np.array([f"{i}" for i in range(count)], object), reviewer=np.full(count, "ada", object),
        confirmed=confirmed, margin=margin, alerted=nothing, chance=np.full(count, 0.01), share=np.ones(count),
        current=everything, latest=everything, contradicted=nothing, found=nothing,
    )  # fmt: skip


def test_the_estimate_of_missed_attacks_covers_the_truth_nearly_always() -> None:
    """Reviewers audit a Poisson sample and answer wrongly once in twenty; shares of attacks by stratum are known."""
    logins = recent(ordinary_scores(10_000))
    margin = logins.margins(ORDINARY, RULE)
    strata = plan(logins, margin, 2.5, 5.0)
    depth = np.concatenate([2.5 - margin, np.full(sum(logins.totals) - len(logins), 2.4)])
    below = depth > 0
    stratum = np.searchsorted([0.5, 1.0], depth[below])
    share = np.array([0.10, 0.02, 0.0005])[stratum]
    chance = np.array([part.chance for part in strata])[stratum]
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        attack, drawn = rng.random(len(share)) < share, rng.random(len(share)) < chance
        confirmed = attack[drawn] ^ (rng.random(drawn.sum()) < 0.05)
        found = estimate(judged(-depth[below][drawn], confirmed), logins, margin, 2.5, 0.05)
        assert found is not None
        covered += found[1] <= attack.sum() * 0.7 <= found[2]
        assert found[1] <= found[0] <= found[2]
    assert covered >= 54


def test_one_answer_that_may_be_wrong_makes_no_thousands_of_missed_attacks() -> None:
    logins = recent(ordinary_scores(10_000))
    margin = logins.margins(ORDINARY, RULE)
    deep = np.full(5, -1.5)
    calm = estimate(judged(deep, np.zeros(5, bool)), logins, margin, 2.5, 0.05)
    once = estimate(judged(deep, np.arange(5) == 0), logins, margin, 2.5, 0.05)
    assert calm is not None
    assert once is not None
    assert calm[0] < once[0] < 0.05 * sum(logins.totals)
    assert once[1] < 5


def test_nothing_is_estimated_without_an_audit_and_little_is_drawn_of_little() -> None:
    logins = recent(ordinary_scores(10_000))
    margin = logins.margins(ORDINARY, RULE)
    assert estimate(judged(np.zeros(0), np.zeros(0, bool)), logins, margin, 2.5, 0.05) is None
    assert plan(logins, margin, 2.5, 0.0) == ()
    near, middle, far = plan(logins, margin, 2.5, 2.0)
    assert near.chance > middle.chance > far.chance
