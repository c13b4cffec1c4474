"""The gate: what a record may say, and the reason for each that may not pass."""

import math
import uuid

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.events import CANONICAL_COLUMNS, EVENT_COLUMNS, MonitorError, Validated, account_id, shard, validate

GOOD = {"occurred_at": "2024-02-29T12:00:00Z", "user": "ana"}


def check(*records: dict[str, object], source: str = "test") -> Validated:
    """Validate records; each says what differs from a good one, and its line is its place."""
    frame = pd.DataFrame([GOOD | record for record in records], dtype=object)
    return validate(frame.assign(line=range(1, len(records) + 1)), source)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("occurred_at", "2023-02-29T12:00:00Z", "impossible date"),
        ("occurred_at", "2024-02-29T25:00:00Z", "impossible date"),
        ("occurred_at", "2024-02-29T12:00:00+99:00", "impossible date"),
        ("occurred_at", "2024-02-29T12:00:00", "no time zone"),
        ("occurred_at", "2024-02-29", "no ISO 8601 time"),
        ("occurred_at", "1709208000", "no ISO 8601 time"),
        ("occurred_at", "yesterday", "no ISO 8601 time"),
        ("occurred_at", "٢٠٢٤-02-29T12:00:00Z", "no ISO 8601 time"),
        ("occurred_at", "1989-12-31T23:59:59Z", "before 1990"),
        ("occurred_at", "2100-01-01T00:00:00Z", "after 2099"),
        ("occurred_at", "", "occurred_at is missing"),
        ("user", "", "user is missing"),
        ("user", " \t ", "user is missing"),
        ("user", None, "user is missing"),
        ("user", "a" * 513, "longer than 512"),
        ("user", "a\0", "NUL"),
        ("user", "\ud800", "lone surrogate"),
        ("event_id", "a\x07", "control character"),
        ("event_id", "e" * 513, "longer than 512"),
        ("outcome", "maybe", "neither 'success' nor 'failure'"),
        ("ip", "192.0.2.256", "no IPv4 or IPv6 address"),
        ("ip", "192.0.2.01", "no IPv4 or IPv6 address"),
        ("ip", "192.0.2.0/24", "no IPv4 or IPv6 address"),
        ("ip", "192.0.2.1:443", "no IPv4 or IPv6 address"),
        ("country", "UK", "no ISO 3166-1"),
        ("country", "Norway", "no ISO 3166-1"),
        ("country", "ß", "no ISO 3166-1"),
        ("latitude", "90.5", "outside -90 to 90"),
        ("longitude", "-181", "outside -180 to 180"),
        ("latitude", "north", "no number"),
        ("latitude", "1_0", "no number"),
        ("latitude", "nan", "no number"),
        ("latitude", "1", "come together"),
        ("longitude", "1", "come together"),
        ("asn", "64496.5", "no autonomous system number"),
        ("asn", "4294967296", "no autonomous system number"),
        ("asn", "-1", "no autonomous system number"),
        ("rtt_ms", "-1", "outside 0 to"),
        ("rtt_ms", "inf", "no number"),
        ("rtt_ms", "1e999", "no number"),
        ("city", "x" * 10_000_000, "city is longer than 512"),
        ("city", "a\0b", "city contains a NUL"),
        ("user_agent", "a\0b", "user_agent contains a NUL"),
        ("colour", "red", "unknown column colour"),
    ],
)
def test_a_value_that_cannot_be_is_rejected_with_its_line_and_reason_and_the_rest_goes_in(
    field: str, value: str | None, reason: str
) -> None:
    validated = check({}, {field: value}, {"user": "bob"})
    assert validated.events["user"].tolist() == ["ana", "bob"]
    assert validated.rejects["line"].tolist() == [2]
    assert reason in validated.rejects["reason"][0]
    assert len(validated.rejects["record"][0]) < 600


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("occurred_at", "2024-02-29T12:00:00+02:00", pd.Timestamp("2024-02-29T10:00Z")),
        ("occurred_at", "2024-02-29 12:00:00.1234567 -0130", pd.Timestamp("2024-02-29T13:30:00.123456Z")),
        ("occurred_at", "2024-02-29t12:00:00,5z", pd.Timestamp("2024-02-29T12:00:00.5Z")),
        ("occurred_at", "20240229T120000+01", pd.Timestamp("2024-02-29T11:00Z")),
        ("occurred_at", "2024-02-29T12:00Z", pd.Timestamp("2024-02-29T12:00Z")),
        ("occurred_at", " 2024-02-29T12:00:00Z ", pd.Timestamp("2024-02-29T12:00Z")),
        ("user", " Ana ", " Ana "),
        ("user", "e\u0301", "é"),
        ("user", "a\x1b[31m\u202e", "a�[31m�"),
        ("user", "👩‍💻", "👩‍💻"),
        ("outcome", "FAILURE", "failure"),
        ("outcome", "", "success"),
        ("ip", "192.0.2.1", "192.0.2.1"),
        ("ip", "192.0.2.1\n", "192.0.2.1"),
        ("ip", "2001:DB8::0:1", "2001:db8::1"),
        ("ip", "::ffff:192.0.2.1", "192.0.2.1"),
        ("ip", "fe80::1%eth0", "fe80::1"),
        ("country", "no", "NO"),
        ("country", "XK", "XK"),
        ("asn", "AS64496", 64496),
        ("asn", "64496.0", 64496),
        ("rtt_ms", "1.5e2", 150.0),
        ("user_agent", "x" * 30_000, "x" * 512),
        ("city", " Oslo ", "Oslo"),
        ("city", "New\tYork", "New�York"),
        ("region", "  ", None),
        ("device_id", 7, "7"),
    ],
)
def test_a_value_is_stored_in_its_canonical_form(field: str, value: object, stored: object) -> None:
    validated = check({field: value})
    assert validated.rejects.empty, validated.rejects["reason"].tolist()
    found = validated.events[field][0]
    assert pd.isna(found) if stored is None else found == stored


def test_only_time_and_user_are_required_and_the_rest_is_unknown() -> None:
    event = check({}).events.iloc[0]
    known = {"source", "event_id", "occurred_at", "user", "outcome"}
    assert {name for name in EVENT_COLUMNS if pd.notna(event[name])} == known


def test_all_reasons_of_a_record_are_named() -> None:
    reasons = check({"user": "", "country": "ZZ", "ip": "here"}).rejects["reason"]
    assert [part.split()[0] for part in reasons[0].split("; ")] == ["ip", "country", "user"]


def test_browser_and_system_are_families_so_that_an_update_is_not_a_new_device() -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
    events = check({"user_agent": agent.format("120.0.0.0")}, {"user_agent": agent.format("121.0.0.0")}).events
    assert events["browser"].tolist() == ["Chrome", "Chrome"]
    assert events["os"].tolist() == ["Windows", "Windows"]
    assert check({"user_agent": "whatever"}).events[["browser", "os"]].isna().all(axis=None)


def test_an_event_id_is_used_once_and_its_repeat_with_other_content_is_rejected() -> None:
    validated = check({"event_id": "1"}, {"event_id": "1"}, {"event_id": "1", "user": "eve"}, {"event_id": "2"})
    assert validated.rejects["line"].tolist() == [3]
    assert validated.events["user"].unique().tolist() == ["ana"]


def test_a_derived_id_depends_on_what_is_said_and_not_on_how_it_is_written() -> None:
    ids = check(
        {"country": "no", "rtt_ms": "5", "ip": "::ffff:192.0.2.1"},
        {"country": "NO", "rtt_ms": "5.0", "ip": "192.0.2.1", "occurred_at": "2024-02-29T13:00:00+01:00", "city": ""},
        {"country": "NO", "rtt_ms": "5.5", "ip": "192.0.2.1"},
    ).events["event_id"]
    assert ids[0] == ids[1] != ids[2]


def test_text_cannot_pass_for_another_field_in_a_derived_id() -> None:
    ids = check({"city": "a\x1fcountry=NO"}, {"city": "a", "country": "NO"}, {"region": "a", "country": "NO"}).events
    assert ids["event_id"].is_unique


def test_no_records_give_no_events_of_the_right_types() -> None:
    empty = validate(pd.DataFrame({"user": [], "line": []}), "test")
    full = check({})
    assert empty.events.dtypes.to_dict() == full.events.dtypes.to_dict()
    assert list(empty.events) == EVENT_COLUMNS
    assert empty.rejects.empty


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201, "\ud800"])
def test_a_source_needs_a_name_that_can_be_stored(name: str) -> None:
    with pytest.raises(MonitorError, match="source's name"):
        check({}, source=name)


def test_an_account_is_a_version_8_uuid_that_every_process_computes_alike() -> None:
    assert account_id("ana") == uuid.UUID("a07ce676-b799-8dee-9c55-6523af5f9dca")
    assert account_id("ana") != account_id("Ana")
    ids = [account_id(f"user {number}") for number in range(4_000)]
    assert all(account.version == 8 and account.variant == uuid.RFC_4122 for account in ids)
    assert len(set(ids)) == 4_000
    assert {shard(account) for account in ids} == set(range(256))


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
LIKELY = st.sampled_from(
    [
        "",
        "1",
        "-1",
        "90",
        "NO",
        "192.0.2.1",
        "::1",
        "success",
        "AS1",
        "1e5",
        "nan",
        "2024-01-01T00:00:00Z",
        "\0",
        "x" * 600,
    ]
)
RECORD = st.dictionaries(st.sampled_from([*CANONICAL_COLUMNS, "other"]), st.none() | LIKELY | ANY_TEXT)


@settings(max_examples=100, deadline=None)
@given(st.lists(RECORD, max_size=8))
def test_whatever_comes_in_every_record_is_either_an_event_that_can_be_stored_or_a_reject_with_a_reason(
    records: list[dict[str, str | None]],
) -> None:
    frame = pd.DataFrame(records, dtype=object, index=range(len(records)))
    validated = validate(frame.assign(line=range(len(records))), "test")
    events, rejects = validated.events, validated.rejects
    assert len(events) + len(rejects) == len(records)
    assert rejects["reason"].str.len().gt(0).all()
    assert rejects["line"].is_unique
    for name in EVENT_COLUMNS:
        for value in events[name].dropna():
            if isinstance(value, str):
                assert value
                assert "\0" not in value
                assert len(value.encode()) <= 4 * 512
            elif isinstance(value, float):
                assert math.isfinite(value)
    assert events[["event_id", "occurred_at", "user", "outcome"]].notna().all(axis=None)
    assert events["latitude"].notna().equals(events["longitude"].notna())
    for text in (*rejects["reason"], *rejects["record"]):
        assert text.isprintable()


@settings(max_examples=30, deadline=None)
@given(st.lists(RECORD.map(lambda record: GOOD | record), max_size=8))
def test_what_was_validated_once_passes_again_unchanged(records: list[dict[str, str | None]]) -> None:
    frame = pd.DataFrame(records, dtype=object, index=range(len(records)))
    events = validate(frame, "test").events
    again = validate(_as_text(events), "test")
    assert again.rejects.empty
    pd.testing.assert_frame_equal(again.events, events)


@settings(max_examples=30, deadline=None)
@given(st.lists(RECORD.map(lambda record: GOOD | record | {"event_id": None}), min_size=1, max_size=8), st.randoms())
def test_derived_ids_do_not_depend_on_the_company_a_record_comes_in(records: list[dict[str, str]], random) -> None:  # type: ignore[no-untyped-def]
    together = set(validate(pd.DataFrame(records, dtype=object), "test").events["event_id"])
    alone = [validate(pd.DataFrame([record], dtype=object), "test").events["event_id"] for record in records]
    random.shuffle(records)
    shuffled = set(validate(pd.DataFrame(records * 2, dtype=object), "test").events["event_id"])
    assert together == shuffled == set().union(*alone)


def _as_text(events: pd.DataFrame) -> pd.DataFrame:
    text = events[CANONICAL_COLUMNS].astype(object)
    text["occurred_at"] = [time.isoformat() for time in events["occurred_at"]]
    return text.map(lambda value: None if pd.isna(value) else str(value))
