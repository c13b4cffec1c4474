"""The KDD task: no test row may reach the model or the threshold, and arithmetic on symbols must be right."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import kdd99
from benchmarks.kdd99 import COLUMNS, TEXTS, Alphabet, beyond_usual, distance, figures, read, scores

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "kdd99"


def connections(count: int, seed: int = 0) -> pd.DataFrame:
    """Web pages answer at length, time servers with 48 bytes."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(0.0, index=np.arange(count), columns=COLUMNS)
    web = rng.random(count) < 0.6
    rows["service"], rows["protocol_type"] = np.where(web, "http", "ntp_u"), np.where(web, "tcp", "udp")
    rows["flag"], rows["logged_in"] = "SF", web.astype(float)
    rows["src_bytes"] = np.where(web, rng.integers(100, 400, count), 48)
    rows["dst_bytes"] = np.where(web, rng.lognormal(7, 1, count).round(), 48)
    rows["same_srv_rate"] = 1.0
    return rows


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kdd99, "BLOCK", 50)


def test_scores_of_a_row_and_the_threshold_depend_on_no_other_test_row() -> None:
    normal, test = connections(1_500), connections(60, 1)
    test.loc[test.index[:20], ["service", "src_bytes"]] = ["ntp_u", 9_000.0]
    together, threshold = scores(normal, test, epochs=2)
    alone, same = scores(normal, test.iloc[:20], epochs=2)
    assert threshold == same
    assert together[:20] == pytest.approx(alone, rel=1e-4)
    assert (together[:20] > threshold).all()
    assert (together[20:] > threshold).mean() < 0.1


def test_a_symbol_never_seen_in_training_is_the_unknown_one() -> None:
    normal = connections(500)
    alphabet = Alphabet.of(normal)
    changed = normal.assign(service="gopher", src_bytes=1e9)
    symbols = pd.DataFrame(alphabet(changed), columns=COLUMNS)
    assert (symbols[["service", "src_bytes"]] == 0).all(axis=None)
    assert (symbols["flag"] > 0).all()
    assert alphabet(normal).min() > 0


def test_a_frequent_exact_size_is_a_symbol_of_its_own() -> None:
    alphabet = Alphabet.of(connections(500))
    near = connections(500).assign(src_bytes=lambda rows: rows["src_bytes"] + (rows["service"] == "ntp_u"))
    of_time_servers = (near["service"] == "ntp_u").to_numpy()
    column = COLUMNS.index("src_bytes")
    assert (alphabet(near)[of_time_servers, column] != alphabet(connections(500))[of_time_servers, column]).all()


def test_what_is_usual_for_another_service_is_odd_for_this_one() -> None:
    known = np.repeat([[1, 1], [2, 2]], 200, axis=0)
    odd = beyond_usual(known, np.array([[1, 1], [2, 2], [1, 2], [2, 1]]))
    assert odd[2:].min() > odd[:2].max() + 2


def test_a_kind_of_connection_never_seen_is_furthest_away() -> None:
    normal = connections(300)
    far = distance(normal, normal.iloc[:3].assign(flag="REJ"))
    assert (far > distance(normal, connections(50, 2)).max()).all()
    assert all(name in COLUMNS for name in TEXTS)


def test_figures_count_each_class_by_itself() -> None:
    attack, alerted = np.array([True, True, False, False, False]), np.array([True, False, False, False, True])
    assert figures(attack, alerted) == pytest.approx({"accuracy": 0.6, "recall normal": 2 / 3, "recall anomalous": 0.5})


@pytest.mark.skipif(not DATA.exists(), reason="KDD Cup 1999 is not beside the checkout")
def test_the_distinct_test_rows_are_those_of_the_published_figures() -> None:
    normal, test = read(DATA)
    attack = test["label"] != "normal."
    assert (len(test), int((~attack).sum()), int(attack.sum())) == (77_291, 47_913, 29_378)
    assert len(normal) == 87_832
    assert "label" not in normal
