"""Files into a real database: each event once, whatever happens."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from uuid import uuid4

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from killing import kill_before_commit
from sqlalchemy import Engine, text

from monitor.events import CANONICAL_COLUMNS, MonitorError, account_id, shard, validate
from monitor.jobs.ingest import IngestReport, ingest
from monitor.sources import Options, base
from monitor.store import tables
from monitor.store.engine import reading, writing
from monitor.store.events import COPIED, MOST_MONTHS, add_events, pieces

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
NOW = datetime(2024, 6, 1, tzinfo=UTC)
GOOD = "2024-01-01T00:00:00Z"


def query(database: Engine, statement: str, **values: object) -> list[tuple[object, ...]]:
    with reading(database) as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def stored(database: Engine, source: str = "test") -> list[str]:
    rows = query(database, "SELECT event_id FROM monitor.login_event WHERE source = :s ORDER BY 1", s=source)
    return [str(row[0]) for row in rows]


def write_csv(path: Path, rows: Sequence[Sequence[object]], header: str = "event_id,occurred_at,user") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return path


def logins(count: int, users: int = 10) -> list[tuple[str, str, str]]:
    return [(f"e{n}", f"2024-01-{1 + n % 28:02}T00:00:{n % 60:02}Z", f"user {n % users}") for n in range(count)]


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.read, report.stored, report.duplicate, report.rejected


def load(
    database: Engine, *paths: Path | str, form: str = "csv", source: str = "test", **options: object
) -> IngestReport:
    return ingest(database, paths, form, source, now=NOW, **options)  # type: ignore[arg-type]


def test_the_same_file_twice_stores_each_event_once(database: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "events.csv", logins(300))
    assert counts(load(database, path)) == (300, 300, 0, 0)
    assert counts(load(database, path)) == (300, 0, 300, 0)
    assert counts(load(database, path, path)) == (600, 0, 600, 0)
    assert len(stored(database)) == 300
    assert query(database, "SELECT count(*) FROM monitor.unscored_event") == [(300,)]


def test_every_column_arrives_as_it_was_validated(database: Engine, tmp_path: Path) -> None:
    record = {
        "event_id": "1", "occurred_at": "2024-02-29T12:00:00.123456+01:00", "user": "Ana Ødegård", "outcome": "failure",
        "ip": "2001:db8::1", "country": "no", "region": "Vestland", "city": 'Bergen "B"', "latitude": 60.39,
        "longitude": 5.32, "asn": 4294967295, "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:1) Firefox/115.0",
        "device_id": "d\\1", "auth_method": "password", "application": "vpn", "rtt_ms": 12.5,
    }  # fmt: skip
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(record))
    load(database, path, form="jsonl")
    with reading(database) as connection:
        row = dict(connection.execute(text("SELECT * FROM monitor.login_event")).mappings().one())
        account = connection.execute(text("SELECT * FROM monitor.account")).one()
    expected = record | {
        "account_id": account_id("Ana Ødegård"), "source": "test", "shard": shard(account_id("Ana Ødegård")),
        "country": "NO", "browser": "Firefox", "os": "Linux", "received_at": NOW, "accuracy_km": None,
        "network_kind": None,
        "occurred_at": datetime(2024, 2, 29, 11, 0, 0, 123456, tzinfo=UTC), "ip": row["ip"],
    }  # fmt: skip
    del expected["user"]
    assert row == expected
    assert str(row["ip"]) == "2001:db8::1"
    assert account == (row["account_id"], "Ana Ødegård", row["shard"], row["occurred_at"])


def test_unknown_columns_are_null(database: Engine, tmp_path: Path) -> None:
    load(database, write_csv(tmp_path / "a.csv", [("1", GOOD, "ana")]))
    (row,) = query(database, "SELECT ip, country, latitude, asn, user_agent, browser, rtt_ms FROM monitor.login_event")
    assert set(row) == {None}


def test_only_new_events_are_queued_for_scoring(database: Engine, tmp_path: Path) -> None:
    rows = logins(20)
    load(database, write_csv(tmp_path / "first.csv", rows[:12]))
    with writing(database) as connection:
        connection.execute(text("DELETE FROM monitor.unscored_event"))
    report = load(database, write_csv(tmp_path / "second.csv", rows[8:]))
    assert counts(report) == (12, 8, 4, 0)
    queued = query(database, "SELECT event_id FROM monitor.unscored_event")
    assert {row[0] for row in queued} == {event_id for event_id, *_ in rows[12:]}


def test_equal_ids_of_two_sources_are_two_events(database: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", logins(5))
    load(database, path)
    assert counts(load(database, path, source="other")) == (5, 5, 0, 0)
    assert query(database, "SELECT count(*) FROM monitor.account") == [(5,)]


def test_a_bad_record_is_kept_with_its_reason_once_and_the_rest_goes_in(database: Engine, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", [("1", GOOD, "ana"), ("2", "2024-02-30T00:00:00Z", "e\0ve"), ("3", GOOD, "bob")]
    )
    for expected in ((3, 2, 0, 1), (3, 0, 2, 1)):
        report = load(database, path)
        assert counts(report) == expected
        reason = "occurred_at … is an impossible date or time; user contains a NUL character"
        assert report.reasons == {reason: 1}
    rows = query(database, "SELECT source, line, reason, record, rejected_at FROM monitor.rejected_record")
    assert len(rows) == 1
    source, line, reason, record, rejected_at = rows[0]
    assert (source, line, rejected_at) == ("test", 3, NOW)
    assert "impossible date" in str(reason)
    assert record == r"2,2024-02-30T00:00:00Z,e\x00ve"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_rejected_records_are_written_to_a_file(database: Engine, tmp_path: Path, suffix: str) -> None:
    path = write_csv(tmp_path / "a.csv", [("1", GOOD, ""), ("2", GOOD, "ana"), ("3", "", 'b"ob')])
    load(database, path, path, rejects=tmp_path / f"rejects{suffix}")
    with (tmp_path / f"rejects{suffix}").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file)) if suffix == ".csv" else [json.loads(line) for line in file]
    assert [(row["input"], int(row["line"]), row["reason"]) for row in found] == [
        (str(path), 2, "user is missing"),
        (str(path), 4, "occurred_at is missing"),
    ] * 2
    assert found[1]["record"] == '3,,"b""ob"'


@pytest.mark.parametrize("form", ["csv", "jsonl", "sshd", "rba"])
def test_empty_and_binary_files_store_nothing_and_raise_nothing(database: Engine, tmp_path: Path, form: str) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(Random(1).randbytes(300_000))
    (tmp_path / "zeros").write_bytes(bytes(3_000_000))
    (tmp_path / "half.gz").write_bytes(gzip.compress(Random(1).randbytes(10_000))[:5_000])
    assert counts(load(database, tmp_path / "empty", form=form)) == (0, 0, 0, 0)
    for name in ("binary", "zeros", "half.gz"):
        report = load(database, tmp_path / name, form=form, options=Options(year=2024))
        assert report.rejected == report.read > 0
    assert stored(database) == []


def test_a_field_of_ten_megabytes_is_one_reject(database: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [("1", GOOD, "ana"), ("2", GOOD, "x" * 10_000_000), ("3", GOOD, "bob")])
    assert counts(load(database, path)) == (3, 2, 0, 1)
    ((size,),) = query(database, "SELECT max(length(record)) FROM monitor.rejected_record")
    assert isinstance(size, int)
    assert size < 2_000


def test_gzip_and_standard_input_are_read(database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_csv(tmp_path / "a.csv", logins(10)).read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(data))
    assert load(database, tmp_path / "a.csv.gz").stored == 10
    for given_bytes in (data, gzip.compress(data)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given_bytes)))
        assert load(database, "-").duplicate == 10


@pytest.mark.parametrize(
    ("path", "form", "source", "message"),
    [
        ("nowhere.csv", "csv", "test", "there is no file"),
        (".", "csv", "test", "cannot read .*directory"),
        ("a.csv", "xml", "test", "unknown format 'xml'"),
        ("a.csv", "csv", " ", "source's name"),
        ("a.log", "sshd", "test", "--year"),
    ],
)
def test_what_an_operator_gets_wrong_is_one_clear_line(
    database: Engine, tmp_path: Path, path: str, form: str, source: str, message: str
) -> None:
    write_csv(tmp_path / "a.csv", logins(1))
    (tmp_path / "a.log").write_text("Jan  1 00:00:00 h sshd[1]: Accepted password for ana from 192.0.2.1 port 1 ssh2\n")
    with pytest.raises(MonitorError, match=message) as raised:
        load(database, tmp_path / path, form=form, source=source)
    assert "\n" not in str(raised.value)
    with pytest.raises(MonitorError, match="cannot write"):
        load(database, tmp_path / "a.csv", rejects=tmp_path)


def test_one_missing_file_stops_all_before_anything_is_read(database: Engine, tmp_path: Path) -> None:
    with pytest.raises(MonitorError):
        load(database, write_csv(tmp_path / "a.csv", logins(3)), tmp_path / "missing.csv")
    assert stored(database) == []


def test_events_of_many_years_go_in_by_several_transactions(database: Engine, tmp_path: Path) -> None:
    stamps = [f"{year}-{month:02}-15T00:00:00Z" for year in range(2000, 2007) for month in range(1, 13)]
    events = validate(pd.DataFrame({"occurred_at": stamps[::-1], "user": "ana"}), "test").events
    parts = pieces(events)
    assert [part["occurred_at"].dt.strftime("%Y%m").nunique() for part in parts] == [MOST_MONTHS, MOST_MONTHS, 12]
    assert all(one["occurred_at"].max() < other["occurred_at"].min() for one, other in pairwise(parts))
    report = load(database, write_csv(tmp_path / "a.csv", [(n, stamp, "ana") for n, stamp in enumerate(stamps)]))
    assert counts(report) == (84, 84, 0, 0)


def test_progress_is_told_after_every_chunk(database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "CHUNK_RECORDS", 1_000)
    path = write_csv(tmp_path / "a.csv", logins(20_000))
    told: list[int] = []
    report = load(database, path, progress=lambda position, report: told.append(position))
    assert report.stored == 20_000
    assert len(told) >= 20
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size


def test_the_real_server_log_twice_and_in_overlapping_parts_stores_each_login_once(
    database: Engine, tmp_path: Path
) -> None:
    path = SHARED / "sshd" / "auth.log"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    options = Options(year=2017)
    lines = path.read_bytes().splitlines(keepends=True)
    (tmp_path / "auth.log.1").write_bytes(b"".join(lines[:4_000]))
    (tmp_path / "auth.log").write_bytes(b"".join(lines[3_000:]))
    parts = [tmp_path / "auth.log", tmp_path / "auth.log.1"]
    assert load(database, *parts, form="sshd", options=options).stored == 1_225
    report = load(database, path, form="sshd", options=options)
    assert counts(report) == (1_268, 0, 1_225, 43)
    assert report.reasons == {"user is missing": 43}
    found = query(database, "SELECT outcome, count(*) FROM monitor.login_event GROUP BY 1 ORDER BY 1")
    assert found == [("failure", 999), ("success", 226)]


POOL = [
    {"occurred_at": f"2024-0{month}-01T00:00:00Z", "user": user, "event_id": event_id, "city": city}
    for month in (1, 2)
    for user in ("ana", "bob")
    for event_id, city in (("", ""), ("", "Oslo"), (f"{user}{month}", "Bergen"))
]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(POOL), min_size=1, max_size=6), min_size=1, max_size=4))
def test_any_order_repetition_and_chunking_of_the_same_records_stores_the_same_set(
    database: Engine, parts: list[list[dict[str, str]]]
) -> None:
    source = uuid4().hex
    for part in parts:
        events = validate(pd.DataFrame(part, dtype=object), source).events
        with writing(database) as connection:
            add_events(connection, events, NOW)
    distinct = [dict(record) for record in {tuple(record.items()) for part in parts for record in part}]
    assert stored(database, source) == sorted(validate(pd.DataFrame(distinct), source).events["event_id"])


def test_loading_the_same_events_at_once_in_different_orders_neither_doubles_nor_deadlocks(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "CHUNK_RECORDS", 1_000)
    rows = logins(8_000, users=500)
    paths = [write_csv(tmp_path / "forward.csv", rows), write_csv(tmp_path / "backward.csv", rows[::-1])]
    Random(7).shuffle(rows)
    paths.append(write_csv(tmp_path / "shuffled.csv", rows))
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda path: load(database, path), paths))
    assert sum(report.stored for report in reports) == 8_000
    assert sum(report.duplicate for report in reports) == 16_000
    assert len(stored(database)) == 8_000


def test_an_ingestion_killed_in_the_middle_loses_and_doubles_nothing(database: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", logins(5_000))
    script = f"""
from datetime import UTC, datetime
from monitor.store.engine import open_url
module.WRITERS = 1
module.ingest(open_url(sys.argv[1]), [{str(path)!r}], "csv", "test", now=datetime.now(UTC))
"""
    kill_before_commit("monitor.jobs.ingest", 3, script, database.url.render_as_string(hide_password=False))
    before = len(stored(database))
    assert 0 < before < 5_000
    assert query(database, "SELECT count(*) FROM monitor.unscored_event") == [(before,)]
    assert counts(load(database, path)) == (5_000, 5_000 - before, before, 0)
    assert query(database, "SELECT count(*), count(DISTINCT event_id) FROM monitor.login_event") == [(5_000, 5_000)]
    assert query(database, "SELECT count(*) FROM monitor.unscored_event") == [(5_000,)]


def test_the_columns_that_are_copied_are_those_of_an_event() -> None:
    assert {*COPIED, "received_at"} - {"user_name"} == {column.name for column in tables.login_event.columns}
    assert set(CANONICAL_COLUMNS) - {"user"} <= set(COPIED)
