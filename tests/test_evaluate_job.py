"""``monitor evaluate`` from a file of labels and a real database to a report."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pandas as pd
import pytest
from sqlalchemy import Engine, insert

from monitor.evaluation import EvaluationError
from monitor.events import account_id, validate
from monitor.jobs.evaluate import evaluate, read_labels
from monitor.store import evaluation, tables
from monitor.store.engine import reading, writing
from monitor.store.events import add_events
from monitor.store.partitions import ensure_months

START = datetime(2025, 3, 30, 12, tzinfo=UTC)
MODEL = UUID(int=1)
AWKWARD = 'x,"y" z 😀'


def store(database: Engine, values: dict[str, float | None], source: str = "test") -> None:
    """Store one login an hour; those with a score are scored."""
    times = [START + timedelta(hours=number) for number in range(len(values))]
    records = pd.DataFrame(
        {"event_id": list(values), "occurred_at": [time.isoformat() for time in times], "user": "ann", "line": 1}
    )
    with writing(database) as connection:
        validated = validate(records, source)
        assert validated.rejects.empty
        assert add_events(connection, validated.events, START) == len(values)
        ensure_months(connection, times)
        rows = [
            {
                "account_id": account_id("ann"),
                "source": source,
                "event_id": event,
                "occurred_at": time,
                "outcome": "success",
                "score": score,
                "raw": score,
                "threshold": 5.0,
                "alerted": score >= 5,
                "model_id": MODEL,
                "scored_at": START,
                "contribution": [],
            }
            for (event, score), time in zip(values.items(), times, strict=True)
            if score is not None
        ]
        if rows:
            connection.execute(insert(tables.login_score), rows)


def labels_file(directory: Path, text: str) -> Path:
    path = directory / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_scores_are_measured_against_a_file_of_labels(database: Engine, tmp_path: Path) -> None:
    store(database, {"learnt": None, "a": 1.0, "b": 2.0, "c": 6.0, "d": 7.0, "e": 0.5, "unlabelled": 9.0})
    path = labels_file(
        tmp_path,
        "event_id,is_attack,incident,scenario\nlearnt,0,,\na,0,,trip\nb,0,,\ne,0,,\nc,1,one,brute_force\nd,1,one,brute_force\n",
    )
    result = evaluate(database, path, html=tmp_path / "report.html")
    assert result.roc_auc.value == 1.0
    assert (result.ordinary_logins, result.attack_events, result.incidents) == (3, 2, 1)
    assert result.alerted_found.value == 1.0
    assert result.begin == "2025-03-30T13:00:00+00:00"
    assert any(note.startswith("1 labelled events have no score") for note in result.notes)
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_only_logins_from_the_given_time_on_are_measured(database: Engine, tmp_path: Path) -> None:
    store(database, {"a": 1.0, "b": 2.0, "c": 6.0})
    path = labels_file(tmp_path, "event_id,is_attack\na,0\nb,0\nc,1\n")
    assert evaluate(database, path, since=START + timedelta(hours=1)).ordinary_logins == 1


def test_labels_of_events_that_are_not_stored_are_told_from_those_without_a_score(
    database: Engine, tmp_path: Path
) -> None:
    store(database, {"a": 1.0, "b": 2.0, "waiting": None})
    path = labels_file(tmp_path, "event_id,is_attack\na,0\nb,1\nwaiting,0\nnowhere,0\n")
    notes = evaluate(database, path).notes
    assert "1 labels name events that are not stored" in notes
    assert any(note.startswith("1 labelled events have no score") for note in notes)


def test_labels_without_any_score_are_one_clear_line(database: Engine, tmp_path: Path) -> None:
    path = labels_file(tmp_path, "event_id,is_attack\na,0\nb,1\n")
    with pytest.raises(EvaluationError, match="none of the 2 labelled events can be measured") as caught:
        evaluate(database, path)
    assert "\n" not in str(caught.value)


def test_ids_with_commas_quotes_and_blanks_are_found_in_many_pieces(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "_PIECE", 2)
    store(database, {"a": 1.0, AWKWARD: 6.0, "b": 2.0, " spaced ": 3.0, "NA": 4.0})
    wanted = pd.Series([AWKWARD, " spaced ", "NA", "missing"])
    with reading(database) as connection:
        found = evaluation.labelled_scores(connection, wanted)
        assert evaluation.count_stored(connection, wanted) == 3
    assert dict(zip(found["event_id"], found["score"], strict=True)) == {AWKWARD: 6.0, " spaced ": 3.0, "NA": 4.0}
    assert found.set_index("event_id")["alerted"].to_dict() == {AWKWARD: True, " spaced ": False, "NA": False}
    assert found.set_index("event_id")["occurred_at"][AWKWARD] == START + timedelta(hours=1)
    assert found["user_name"].unique().tolist() == ["ann"]
    pd.DataFrame({"event_id": wanted, "is_attack": ["1", "0", "0", "0"]}).to_csv(tmp_path / "labels.csv", index=False)
    assert evaluate(database, tmp_path / "labels.csv").attack_events == 1


def test_an_empty_database_gives_an_empty_frame_of_scores(database: Engine) -> None:
    with reading(database) as connection:
        found = evaluation.labelled_scores(connection, pd.Series(["a"]))
    assert found.empty
    assert {"event_id", "source", "user_name", "occurred_at", "score", "alerted"} == set(found.columns)


def test_the_same_id_in_two_sources_is_left_out(database: Engine, tmp_path: Path) -> None:
    store(database, {"a": 1.0, "b": 6.0, "c": 2.0})
    store(database, {"a": 3.0}, source="other")
    result = evaluate(database, labels_file(tmp_path, "event_id,is_attack\na,0\nb,1\nc,0\n"))
    assert result.ordinary_logins == 1
    assert "1 labels fit events of several sources and are left out" in result.notes


def test_a_report_that_cannot_be_written_is_one_clear_line(database: Engine, tmp_path: Path) -> None:
    store(database, {"a": 1.0, "b": 6.0})
    path = labels_file(tmp_path, "event_id,is_attack\na,0\nb,1\n")
    with pytest.raises(EvaluationError, match="cannot write"):
        evaluate(database, path, html=tmp_path / "no such" / "report.html")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "are empty"),
        (b"\x00\xff\xfe\x93\n\x81,\x82", "are no CSV text"),
        (b'event_id,is_attack\n"a,1\n', "are no CSV text"),
        (b"event_id;is_attack\na;1\n", "no column event_id"),
        (b"event_id,is_attack\n", "there are no labels"),
    ],
)
def test_a_file_that_holds_no_labels_is_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(EvaluationError, match=message) as caught:
        read_labels(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_of_labels_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"cannot read the labels in .*: No such file"):
        read_labels(tmp_path / "labels.csv")


def test_a_byte_order_mark_and_blanks_in_the_header_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"\xef\xbb\xbfevent_id, is_attack\r\na, 1\r\n")
    assert read_labels(path).frame["is_attack"].tolist() == [True]
