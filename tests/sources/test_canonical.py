"""CSV and JSON lines in the monitor's own columns."""

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.events import CANONICAL_COLUMNS, Validated, reject_frame, validate
from monitor.sources import Options, Source
from monitor.sources.canonical import read_csv, read_jsonl

GOOD = "2024-01-01T00:00:00Z"


def read(source: Source, data: str | bytes) -> Validated:
    """All that a source makes of the data: events, and rejects of the source and of the gate."""
    raw = data.encode() if isinstance(data, str) else data
    events = [validate(pd.DataFrame({"user": []}), "test").events]
    rejects = [reject_frame([], [], [])]
    for chunk in source(io.BufferedReader(io.BytesIO(raw)), Options()):
        validated = validate(chunk.records, "test")
        events.append(validated.events)
        rejects += [chunk.rejects, validated.rejects]
    both = pd.concat(events, ignore_index=True), pd.concat(rejects, ignore_index=True)
    return Validated(both[0], both[1].sort_values("line", ignore_index=True))


def test_columns_may_stand_in_any_order_and_case_and_be_missing() -> None:
    found = read(read_csv, f"USER, Country ,occurred_at\nana,NO,{GOOD}\n")
    assert found.events[["user", "country"]].values.tolist() == [["ana", "NO"]]


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_content() -> None:
    found = read(read_csv, b"\xef\xbb\xbfoccurred_at,user,city\r\n2024-01-01T00:00:00Z,ana,Oslo\r\n")
    assert found.events["city"].tolist() == ["Oslo"]
    found = read(read_jsonl, b'\xef\xbb\xbf{"occurred_at": "2024-01-01T00:00:00Z", "user": "ana"}\r\n')
    assert len(found.events) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"{GOOD},eve", "has 2 fields where the header has 3"),
        (f"{GOOD},eve,NO,more", "has 4 fields where the header has 3"),
        (f'{GOOD},"eve,NO', "no line of CSV"),
        (f'{GOOD},"eve"x,NO', "no line of CSV"),
        (f"{GOOD},eve\rmallory,NO", "no line of CSV"),
        (f"{GOOD},eve,{'x' * 200_000}", "field larger than field limit"),
        (f"{GOOD},eve,{'x' * 10_000_000}", "longer than 1,048,576 bytes"),
        (f"{GOOD},eve,Nowhere", "country 'Nowhere'"),
        (f"{GOOD},e\0ve,NO", "NUL"),
        ("2024-02-30T00:00:00Z,eve,NO", "impossible date"),
        ("2024-01-01T00:00:00,eve,NO", "no time zone"),
    ],
)
def test_a_malformed_line_is_rejected_with_its_number_and_reason_and_the_rest_goes_in(line: str, reason: str) -> None:
    found = read(read_csv, f"occurred_at,user,country\n{GOOD},ana,NO\n{line}\n{GOOD},bob,SE\n")
    assert found.events["user"].tolist() == ["ana", "bob"]
    assert found.rejects["line"].tolist() == [3]
    assert reason in found.rejects["reason"][0]


def test_a_line_that_is_not_utf_8_is_rejected_and_the_rest_goes_in() -> None:
    found = read(read_csv, b"occurred_at,user\n" + GOOD.encode() + b",Andr\xe9\n" + GOOD.encode() + b",ana\n")
    assert found.events["user"].tolist() == ["ana"]
    assert found.rejects[["line", "reason"]].values.tolist() == [[2, "is not UTF-8 text"]]


def test_an_unknown_column_rejects_the_records_that_fill_it() -> None:
    found = read(read_csv, f"occurred_at,user,colour\n{GOOD},ana,\n{GOOD},bob,red\n")
    assert found.events["user"].tolist() == ["ana"]
    assert found.rejects[["line", "reason"]].values.tolist() == [[3, "unknown column colour"]]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("occurred_at,name", "no column user"),
        ("occurred_at,user,user", "'user' twice"),
        ("\0\1\2", "no column occurred_at and no column user"),
        ('"occurred_at,user', "no line of CSV"),
    ],
)
def test_a_file_without_a_header_is_one_reject_that_says_so(header: str, reason: str) -> None:
    found = read(read_csv, f"{header}\n{GOOD},ana\n")
    assert found.events.empty
    assert found.rejects["line"].tolist() == [1]
    assert reason in found.rejects["reason"][0]


def test_a_line_break_inside_a_quoted_name_cannot_smuggle_in_a_record() -> None:
    typed = f"eve\n{GOOD},admin,success\n"
    file = io.StringIO()
    csv.writer(file).writerows([("occurred_at", "user", "outcome"), (GOOD, typed, "failure"), (GOOD, "ana", "success")])
    found = read(read_csv, file.getvalue())
    assert found.events["outcome"].tolist() == ["failure", "success"]
    assert found.events["user"].tolist() == [typed.strip("\n").replace("\n", "�") + "�", "ana"]


def test_each_of_many_open_quotes_costs_its_own_line_only() -> None:
    bad = [f'{GOOD},"u{number},NO\n' for number in range(50)]
    good = [f"{GOOD},g{number},NO\n" for number in range(50)]
    mixed = [line for pair in zip(bad, good, strict=True) for line in pair]
    found = read(read_csv, "occurred_at,user,country\n" + "".join(mixed))
    assert len(found.events) == 50
    assert found.rejects["line"].tolist() == list(range(2, 102, 2))


FIELD = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(FIELD, FIELD), max_size=6))
@example([('a"b', 'x\n"'), ("", "\n\n"), ("\r", '",\n"')])
def test_whatever_a_csv_writer_quotes_comes_back_as_the_same_records(fields: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("occurred_at", "user", "city"), *((GOOD, *f) for f in fields)])
    parts = list(read_csv(io.BufferedReader(io.BytesIO(file.getvalue().encode())), Options()))
    assert sum(len(part.rejects) for part in parts) == 0
    found = [row for part in parts for row in part.records[["user", "city"]].itertuples(index=False)]
    assert [["".join(text.split()) for text in row] for row in found] == [
        ["".join(text.split()) for text in row] for row in fields
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "is no JSON"),
        ("[]", "is no JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"occurred_at": "%s", "user": ["eve"]}', "user is neither text nor a number"),
        ('{"occurred_at": "%s", "user": "eve", "outcome": true}', "outcome is neither text nor a number"),
        ('{"occurred_at": "%s", "user": "eve", "colour": null}', "unknown column colour"),
        ('{"occurred_at": "%s", "user": "\\ud800"}', "lone surrogate"),
        ('{"occurred_at": "%s", "user": "a\\u0000"}', "NUL"),
        ('{"occurred_at": "%s", "user": "eve", "rtt_ms": NaN}', "no number"),
        ('{"occurred_at": "%s", "user": "eve", "asn": 1%s}', "no autonomous system number"),
        ('{"occurred_at": 1704067200, "user": "eve"}', "no ISO 8601 time"),
        ('{"user": "eve"}', "occurred_at is missing"),
    ],
)
def test_a_malformed_json_line_is_rejected_with_its_number_and_reason(line: str, reason: str) -> None:
    bad = line.replace("%s", GOOD, 1).replace("%s", "0" * 5_000)
    good = json.dumps({"occurred_at": GOOD, "user": "ana"})
    found = read(read_jsonl, f"{good}\n{bad}\n{good}\n")
    assert len(found.events) == 2
    assert found.rejects["line"].tolist() == [2]
    assert reason in found.rejects["reason"][0]


def test_json_numbers_are_taken_as_they_are_written() -> None:
    found = read(
        read_jsonl, f'{{"occurred_at": "{GOOD}", "user": 7, "latitude": 59.90, "longitude": 1e1, "city": null}}'
    )
    assert found.events[["user", "latitude", "longitude"]].values.tolist() == [["7", 59.9, 10.0]]


def test_csv_and_json_lines_give_the_same_events() -> None:
    record = dict.fromkeys(CANONICAL_COLUMNS, "1") | {
        "occurred_at": GOOD, "outcome": "failure", "ip": "192.0.2.1", "country": "NO", "user_agent": "curl/8",
    }  # fmt: skip
    table = io.StringIO()
    csv.writer(table).writerows([record.keys(), record.values()])
    one, other = read(read_csv, table.getvalue()), read(read_jsonl, json.dumps(record))
    assert len(one.events) == 1
    pd.testing.assert_frame_equal(one.events, other.events)
