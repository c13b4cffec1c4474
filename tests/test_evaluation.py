"""Measures against labels, on cases small enough to compute by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import measured, organisation, scores
from sklearn.metrics import average_precision_score, roc_auc_score

from monitor.evaluation.ranking import Ranking


def test_a_small_case_agrees_with_the_figures_computed_by_hand() -> None:
    given, stored = organisation([1.0, 2.0, 3.0, 4.0], {"a": [3.5, 5.0], "b": [0.5, 1.5, 2.5, 6.0]})
    result = measured(given, stored)
    # Ordinary logins below each attack score: 3, 4, 0, 1, 2, 4 of 4.
    assert result.roc_auc.value == pytest.approx(14 / 24)
    # From the top: 6.0 (1/1), 5.0 (2/2), 3.5 (3/4), 2.5 (4/6), 1.5 (5/8), 0.5 (6/10).
    assert result.average_precision.value == pytest.approx((1 + 1 + 3 / 4 + 4 / 6 + 5 / 8 + 6 / 10) / 6)
    # A quarter of four ordinary logins is one: the threshold is above 3.0 and the next score there is 3.5.
    (row,) = result.budgets
    assert (row.threshold, row.false_alarms, row.false_alarm_rate) == (3.5, 1, 0.25)
    assert row.found.value == 0.5  # a at once; b only with its fourth event
    assert row.found_ever.value == 1.0
    assert row.events_to_detection.value == pytest.approx((1 + 4) / 2)
    assert row.minutes_to_detection.value == pytest.approx((0 + 3) / 2)
    assert [(kind.scenario, kind.incidents, kind.events, kind.found) for kind in result.attacks] == [
        ("kind-a", 1, 2, (1.0,)),
        ("kind-b", 1, 4, (0.0,)),
    ]
    assert [(kind.scenario, kind.logins, kind.false_alarms) for kind in result.benign] == [
        ("", 2, (0,)),
        ("trip", 2, (1,)),
    ]
    assert (result.ordinary_logins, result.attack_events, result.incidents) == (4, 6, 2)


def test_equal_scores_are_above_the_threshold_together_or_not_at_all() -> None:
    given, stored = organisation([1.0] * 6 + [2.0] * 4, {"a": [2.0], "b": [2.1]})
    (row,) = measured(given, stored).budgets  # a quarter of ten is two, but four share the score 2.0
    assert (row.threshold, row.false_alarms) == (2.1, 0)
    assert row.found.value == 0.5


def test_a_threshold_fits_the_budget_exactly_where_it_can() -> None:
    given, stored = organisation([float(number) for number in range(1000)], {"a": [998.5], "b": [998.6]})
    (row,) = measured(given, stored, (0.001,)).budgets
    assert (row.threshold, row.false_alarms) == (998.5, 1)
    assert row.found.value == 1.0


def test_no_threshold_fits_when_all_scores_are_equal_and_that_is_said() -> None:
    given, stored = organisation([1.0] * 10, {"a": [1.0], "b": [1.0]})
    (row,) = measured(given, stored).budgets
    assert row.threshold is None
    assert row.found.value == 0.0
    assert row.events_to_detection.value is None
    assert row.events_to_detection.reason == "no incident is found at this budget"


def test_too_few_ordinary_logins_for_a_budget_are_noted() -> None:
    given, stored = organisation([1.0, 2.0, 3.0], {"a": [4.0], "b": [1.0]})
    result = measured(given, stored, (0.001, 0.5))
    assert result.budgets[0].threshold == 4.0
    assert any("too few to allow one false alarm at 0.1%" in note for note in result.notes)


def test_the_first_three_events_count_in_order_of_time_not_of_the_file() -> None:
    given, stored = organisation([1.0, 2.0, 3.0, 4.0], {"a": [0.1, 0.2, 0.3, 9.0], "b": [9.0]})
    shuffled = stored.sample(frac=1.0, random_state=3)
    late = measured(given, shuffled)
    assert late.budgets[0].found.value == 0.5
    assert late.to_json() == measured(given.sample(frac=1.0, random_state=4), stored).to_json()


def test_attacks_without_an_incident_are_one_incident_an_account() -> None:
    given = pd.DataFrame({"event_id": ["x", "y", "z", "o"], "is_attack": ["1", "1", "1", "0"]}, dtype="str")
    stored = scores({"x": 1.0, "y": 9.0, "z": 0.0, "o": 2.0}, {"x": "ann", "y": "ann", "z": "bob"})
    result = measured(given, stored)
    assert result.incidents == 2
    assert result.budgets[0].found.value == 0.5
    assert result.attacks[0].scenario == ""


def test_without_attacks_every_figure_about_them_is_none_with_the_reason() -> None:
    given, stored = organisation([1.0, 2.0, 3.0, 4.0], {})
    result = measured(given, stored)
    for measure in (result.roc_auc, result.average_precision, result.budgets[0].found, result.alerted_found):
        assert measure.value is None
        assert measure.reason == "no attack among the measured logins"
    assert result.budgets[0].false_alarms == 1
    assert result.budgets[0].threshold == 4.0
    assert result.attacks == ()


def test_without_ordinary_logins_every_figure_about_them_is_none_with_the_reason() -> None:
    given, stored = organisation([], {"a": [1.0], "b": [2.0]})
    result = measured(given, stored)
    for measure in (result.roc_auc, result.average_precision, result.budgets[0].found, result.alerted_false_alarm_rate):
        assert measure.value is None
        assert measure.reason == "no ordinary login among the measured ones"
    assert result.budgets[0].threshold is None
    assert result.attacks[0].found == (None,)
    assert result.alerted_found.value == 0.0


def test_one_incident_has_a_figure_but_no_interval() -> None:
    given, stored = organisation([1.0, 2.0, 3.0, 4.0], {"a": [5.0]})
    result = measured(given, stored)
    assert result.roc_auc.value == 1.0
    assert (result.roc_auc.low, result.roc_auc.high) == (None, None)
    assert result.roc_auc.reason == "an interval needs at least two incidents and two accounts"


def test_what_was_alerted_is_measured_beside_the_budgets() -> None:
    given, stored = organisation([1.0, 2.0, 3.0, 6.0], {"a": [7.0], "b": [1.0, 1.0, 1.0, 8.0]})
    result = measured(given, stored)
    assert result.alerted_found.value == 0.5
    assert result.alerted_false_alarm_rate.value == 0.25


def test_intervals_hold_the_figure_and_are_the_same_again() -> None:
    rng = np.random.default_rng(1)
    ordinary = rng.normal(0, 1, 2_000).tolist()
    given, stored = organisation(ordinary, {f"a{n}": rng.normal(2, 1, 3).tolist() for n in range(40)})
    first, second = (measured(given, stored, (0.01,), resamples=100) for _ in range(2))
    assert first == second
    for measure in (first.roc_auc, first.average_precision, first.budgets[0].found):
        assert measure.low is not None
        assert measure.high is not None
        assert measure.value is not None
        assert 0 <= measure.low <= measure.value <= measure.high <= 1
        assert measure.low < measure.high
    assert measured(given, stored, (0.01,), resamples=100, seed=9) != first


def test_an_interval_widens_when_logins_of_an_account_go_together() -> None:
    """Ten accounts with equal logins each know less than thousands of independent ones."""
    rng = np.random.default_rng(2)
    given, stored = organisation(rng.normal(0, 1, 1_000).tolist(), {f"a{n}": [1.5] for n in range(30)})
    ordinary = stored["event_id"].str.startswith("o")
    clustered = stored.copy()
    clustered.loc[ordinary, "score"] = np.tile(rng.normal(0, 1, 10), 100)
    loose, tight = (measured(given, frame, resamples=100).roc_auc for frame in (clustered, stored))
    assert loose.low is not None and loose.high is not None and tight.low is not None and tight.high is not None
    assert loose.high - loose.low > 5 * (tight.high - tight.low)


SCORE = st.integers(0, 6).map(float)


@given(ordinary=st.lists(SCORE, min_size=1, max_size=40), attack=st.lists(SCORE, min_size=1, max_size=12))
def test_the_weighted_figures_agree_with_scikit_learn(ordinary: list[float], attack: list[float]) -> None:
    ranking = Ranking.of(np.array(ordinary), np.array(attack))
    cumulative, weight = ranking.cumulative(np.ones(len(ordinary))), np.ones(len(attack))
    truth, score = [0] * len(ordinary) + [1] * len(attack), ordinary + attack
    assert ranking.roc_auc(cumulative, weight) == pytest.approx(roc_auc_score(truth, score))
    assert ranking.average_precision(cumulative, weight) == pytest.approx(average_precision_score(truth, score))


@given(
    ordinary=st.lists(SCORE, min_size=1, max_size=30),
    weight=st.lists(st.integers(0, 3), min_size=30, max_size=30),
    budget=st.sampled_from([0.001, 0.1, 0.25, 0.5, 1.0]),
)
def test_the_bar_is_the_lowest_that_keeps_the_budget_whatever_the_weights(
    ordinary: list[float], weight: list[int], budget: float
) -> None:
    values, weights = np.array(ordinary), np.array(weight[: len(ordinary)], float)
    ranking = Ranking.of(values, np.zeros(0))
    bar = ranking.bar(ranking.cumulative(weights), budget)
    assert weights[values > bar].sum() <= budget * weights.sum() + 1e-9
    if np.isfinite(bar):
        assert weights[values >= bar].sum() > budget * weights.sum()


def test_weights_act_like_copies() -> None:
    ordinary, attack = np.array([1.0, 2.0, 3.0]), np.array([2.5, 0.5])
    weight, hits = np.array([2.0, 0.0, 1.0]), np.array([1.0, 3.0])
    weighted = Ranking.of(ordinary, attack)
    copied = Ranking.of(np.array([1.0, 1.0, 3.0]), np.array([2.5, 0.5, 0.5, 0.5]))
    one, many = weighted.cumulative(weight), copied.cumulative(np.ones(3))
    assert weighted.roc_auc(one, hits) == pytest.approx(copied.roc_auc(many, np.ones(4)))
    assert weighted.average_precision(one, hits) == pytest.approx(copied.average_precision(many, np.ones(4)))
    assert weighted.bar(one, 0.4) == copied.bar(many, 0.4)
