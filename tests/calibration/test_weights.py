"""Verdicts change how much evidence counts: never against what they said, never far, and never by one voice alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.calibration import Judgements
from monitor.calibration.weights import BOUNDS, LARGEST_SHARE, LARGEST_STEP, influence, learn

FEATURES = ("country", "device", "hour", "burst")
ODDNESS = 10.0

#: What an optimiser may leave undone, in scores of the size of ODDNESS.
TOLERANCE = 2e-3

Said = tuple[list[float], bool, str]
evidence = st.lists(st.floats(0, 60), min_size=len(FEATURES), max_size=len(FEATURES))
said = st.tuples(evidence, st.booleans(), st.sampled_from(["ada", "bob", "eve"]))


def judged(verdicts: list[Said]) -> Judgements:
    count = len(verdicts)
    everything, nothing = np.ones(count, bool), np.zeros(count, bool)
    parts = np.array([parts for parts, _, _ in verdicts], np.float32).reshape(count, len(FEATURES))
    return Judgements(
        FEATURES,
        time=np.arange(count, dtype=float),
        evidence=parts,
        raw=parts.sum(axis=1).astype(float),
        score=np.full(count, 3.0),
        same=everything,
        segment=np.full(count, "people", object),
        alert=np.array([f"alert {i}" for i in range(count)], object),
        reviewer=np.array([name for _, _, name in verdicts], object),
        confirmed=np.array([confirmed for _, confirmed, _ in verdicts], bool),
        margin=np.zeros(count),
        alerted=np.ones(count, bool),
        chance=np.ones(count),
        share=np.ones(count),
        current=everything,
        latest=everything,
        contradicted=nothing,
        found=nothing,
    )


def weighted(verdicts: list[Said], login: list[float], before: dict[str, float], balance: float) -> float:
    """What the evidence of a login adds up to after these verdicts."""
    learned = learn(judged(verdicts), ODDNESS, balance, before, before)
    return sum(part * learned.get(name, 1.0) for part, name in zip(login, FEATURES, strict=True))


@settings(max_examples=150, deadline=None)
@given(
    verdicts=st.lists(said, max_size=25),
    last=said,
    before=st.dictionaries(st.sampled_from(FEATURES), st.floats(*BOUNDS)),
    balance=st.floats(1, 8),
)
def test_a_dismissal_never_raises_what_it_dismissed_and_a_confirmation_never_lowers_what_it_confirmed(
    verdicts: list[Said], last: Said, before: dict[str, float], balance: float
) -> None:
    login, confirmed, _ = last
    without, with_ = (weighted(given_, login, before, balance) for given_ in (verdicts, [*verdicts, last]))
    assert (with_ >= without - TOLERANCE) if confirmed else (with_ <= without + TOLERANCE)


@settings(max_examples=100, deadline=None)
@given(verdicts=st.lists(said, max_size=40), before=st.dictionaries(st.sampled_from(FEATURES), st.floats(*BOUNDS)))
def test_weights_stay_within_their_bounds_and_within_a_step_of_yesterday(
    verdicts: list[Said], before: dict[str, float]
) -> None:
    learned = learn(judged(verdicts), ODDNESS, 3.0, before, {})
    for name in FEATURES:
        weight = learned.get(name, 1.0)
        assert BOUNDS[0] - 2e-3 <= weight <= BOUNDS[1] + 2e-3
        assert abs(weight - before.get(name, 1.0)) <= LARGEST_STEP + 2e-3


def test_a_reason_dismissed_again_and_again_sinks_and_the_others_keep_their_worth() -> None:
    travel, theft = [12.0, 0.0, 0.0, 0.0], [0.0, 12.0, 0.0, 0.0]
    verdicts = [(travel, False, "ada"), (travel, False, "bob"), (theft, True, "ada"), (travel, False, "eve")] * 8
    weights: dict[str, float] = {}
    for _ in range(10):
        weights = learn(judged(verdicts), ODDNESS, 2.0, weights, weights)
    assert weights["country"] < 0.7
    assert weights["device"] > max(1.0, weights["hour"])
    assert weights["hour"] == pytest.approx(weights["burst"], abs=1e-3), "what nobody spoke of keeps its place"
    assert weights["hour"] == pytest.approx(1.0, abs=0.15)


def test_dismissing_everything_alike_sinks_it_little_for_how_much_alerts_is_the_threshold_to_say() -> None:
    def after_ten_days(login: list[float]) -> dict[str, float]:
        verdicts: list[Said] = [(login, False, name) for name in ("ada", "bob", "eve")] * 4
        weights: dict[str, float] = {}
        for _ in range(10):
            weights = learn(judged(verdicts), ODDNESS, 1.0, weights, weights)
        return weights

    everything, one_reason = after_ten_days([4.0, 4.0, 4.0, 4.0]), after_ten_days([16.0, 0.0, 0.0, 0.0])
    assert all(0.9 < everything[name] < 1.0 for name in FEATURES)
    assert one_reason["country"] < 0.5


def test_nothing_is_learned_without_verdicts() -> None:
    assert learn(judged([]), ODDNESS, 2.0, {}, {}) == {}


@given(st.lists(st.sampled_from(["ada", "bob", "eve"]), max_size=200))
def test_a_later_verdict_never_changes_how_much_the_earlier_ones_count(reviewers: list[str]) -> None:
    names = np.array(reviewers, object)
    for end in (len(names) // 2, max(len(names) - 1, 0)):
        assert influence(names)[:end] == pytest.approx(influence(names[:end]))


def test_one_reviewer_among_several_is_held_to_a_third_of_what_counts() -> None:
    reviewers = np.array((["ada", "bob"] + ["eve"] * 20) * 40, object)
    counts = influence(reviewers)
    assert counts[reviewers == "eve"].sum() / counts.sum() < LARGEST_SHARE + 0.1
    assert influence(np.array(["eve"] * 50, object)).sum() == 50, "a team of one decides alone"
