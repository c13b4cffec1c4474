"""The RBA data set in its own columns."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from monitor.events import validate
from monitor.sources import Options
from monitor.sources.rba import read_rba

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
HEADER = "index,Login Timestamp,User ID,Country,City,Login Successful,Is Attack IP\n"


def read(data: bytes) -> tuple[pd.DataFrame, pd.DataFrame]:
    (chunk,) = read_rba(io.BufferedReader(io.BytesIO(data)), Options())
    validated = validate(chunk.records, "rba")
    return validated.events, pd.concat([chunk.rejects, validated.rejects], ignore_index=True)


def test_the_real_rows_become_events() -> None:
    path = SHARED / "rba" / "first_rows.csv"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    events, rejects = read(path.read_bytes())
    assert rejects.empty
    assert events["event_id"].tolist() == [row["index"] for row in rows]
    assert events["user"].tolist() == [row["User ID"] for row in rows]
    assert (events["outcome"] == "success").tolist() == [row["Login Successful"] == "True" for row in rows]
    assert events["city"].isna().tolist() == [row["City"] == "-" for row in rows]
    assert events["occurred_at"][0] == pd.Timestamp("2020-02-03T12:43:30.772Z")
    assert events["asn"].notna().all()
    assert events["browser"].notna().any()


def test_a_row_without_an_outcome_or_with_another_is_rejected() -> None:
    outcomes = ["", "Yes", "True"]
    rows = [f"{number},2020-02-03 12:43:30,1,-,-,{outcome},False\n" for number, outcome in enumerate(outcomes)]
    events, rejects = read((HEADER + "".join(rows)).encode())
    assert events["event_id"].tolist() == ["2"]
    assert rejects["line"].tolist() == [2, 3]
