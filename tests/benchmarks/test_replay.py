"""What is measured in memory must be what the jobs would have scored."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from organisations import Memory, batches

from benchmarks.replay import ALERTS_PER_DAY, History, as_stored, in_order, learned, strength_of
from monitor.calibration import first_threshold
from monitor.simulation import simulate


@pytest.fixture(scope="module")
def history() -> History:
    return learned(simulate("corporate", 40, 21, 5))


def test_the_history_is_all_before_what_is_scored(history: History) -> None:
    assert history.events["occurred_at"].max() < history.later["occurred_at"].min()
    assert len(history.events) > len(history.later) > 100


def test_scores_in_memory_are_those_of_a_pass_in_batches(history: History) -> None:
    scorer, _ = history.fit("rarity", 1)
    judged = history.judge(scorer)
    once = pd.DataFrame(
        {
            "score": in_order(judged, lambda part: part.scores.score),
            "alerted": in_order(judged, lambda part: part.alerted),
        },
        index=history.later["event_id"],
    )
    memory = Memory()
    for part in batches(history.events, 700):
        memory.learn(part)
    days = np.ptp(history.events["occurred_at"]) / timedelta(days=1)
    threshold = first_threshold(len(history.events) / days, ALERTS_PER_DAY).rule.value
    scored = pd.concat([memory.score(part, scorer, threshold) for part in batches(history.later, 300)])
    scored = scored.loc[once.index]
    assert (scored["alerted"] == once["alerted"]).all()
    assert np.abs(scored["score"] - once["score"]).max() < 1e-4


def test_the_evidence_comes_in_the_order_of_the_logins(history: History) -> None:
    scorer, _ = history.fit("rarity", 1)
    judged = history.judge(scorer)
    strength = strength_of(judged)
    assert strength.shape == (len(history.later), history.strength.shape[1])
    for part in judged:
        assert np.array_equal(strength[part.rows], part.measured.strength[part.within], equal_nan=True)


def test_events_are_read_as_the_store_gives_them() -> None:
    events = as_stored(simulate("consumer", 30, 10, 2).events)
    assert events["account_id"].is_monotonic_increasing
    assert events.loc[events["ip"].notna(), "network"].str.contains("/").all()
