"""A tiny run of the table of peers."""

import numpy as np
import pytest

from benchmarks.enriched import enriched
from monitor.columns import LENGTH
from monitor.detectors import training_loop
from monitor.sequences import Windows
from monitor.simulation import simulate


@pytest.fixture(autouse=True)
def one_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_loop, "EPOCHS", 1)


def test_every_rival_gets_a_row_on_the_same_events() -> None:
    pytest.importorskip("pyod", reason="the rivals need the extra `bench`")
    from benchmarks.peers import compared
    from benchmarks.rivals import RIVALS

    rows = compared(simulate("consumer", 40, 15, 3), seed=1, only=["rarity", *RIVALS])
    assert [row["detector"] for row in rows] == ["lstm_autoencoder (ours)", "rarity (ours)", *RIVALS]
    for row in rows:
        found = [row[f"at {budget}"] for budget in ("0.1%", "0.2%", "0.5%", "1.0%")]
        assert found == sorted(found)
        assert 0 < row["average precision"] <= 1
        assert row["events/s"] > 0


def test_a_mean_leaves_out_what_could_not_be_computed() -> None:
    pytest.importorskip("pyod", reason="the rivals need the extra `bench`")
    from benchmarks.peers import mean

    rows = [
        {"detector": "a", "at 0.1%": 0.5, "thin: at 0.5%": None},
        {"detector": "a", "at 0.1%": 1.0, "thin: at 0.5%": None},
    ]
    assert mean("both", rows) == {"detector": "both", "at 0.1%": 0.75, "thin: at 0.5%": None}
    rows[1]["thin: at 0.5%"] = 0.25
    assert mean("both", rows)["thin: at 0.5%"] == 0.25


def test_generated_windows_are_as_short_as_real_short_ones() -> None:
    rng = np.random.default_rng(0)
    rows = rng.exponential(0.3, (400 * LENGTH, 5)).astype(np.float32)
    rows[:, 4] = np.nan
    rows.reshape(400, LENGTH, 5)[:100, : LENGTH - 3] = np.nan
    windows = Windows(rows, np.arange(LENGTH - 1, len(rows), LENGTH))
    more = enriched(windows, windows.take(np.arange(50)), 1, lambda *_: None)
    assert len(more) == 500
    made = more.take(np.arange(400, 500)).gather()
    assert np.isnan(made[:, : LENGTH - 3]).all()
    assert np.isfinite(made[:, LENGTH - 3 :, :4]).all()
    assert np.isnan(made[:, :, 4]).all(), "a feature that nobody knows was made up"
