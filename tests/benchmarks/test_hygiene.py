"""What is said of slow drifts: each counts once, and what comes alone is judged as if nothing of it had come before."""

import pandas as pd
import pytest

from benchmarks.hygiene import drifts, summary


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return drifts("corporate", 250, 1, "rarity")


def test_every_drift_is_a_row_and_scores_less_at_its_end_than_its_last_logins_alone(table: pd.DataFrame) -> None:
    assert len(table) >= 3
    assert table[["drifted", "alone", "alone_alerts"]].notna().all(axis=None)
    assert (table["drifted"] < table["alone"]).all()


def test_silent_are_those_that_never_alert_though_their_last_logins_would_alone(table: pd.DataFrame) -> None:
    quiet = table.assign(first=[float("nan")] * len(table), alone_alerts=True)
    assert summary(quiet)["silent, would alert alone"] == len(table)
    assert summary(quiet.assign(alone_alerts=False))["silent, would alert alone"] == 0
    assert summary(table)["alert"] == table["first"].notna().sum()
