"""Every identity provider: its logins become canonical, its other records are counted, and none raises."""

import copy
import io
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from provider_records import LOGINS, OTHERS, SHARED, shared_records

from monitor.events import CANONICAL_COLUMNS, validate
from monitor.sources import PROVIDERS, Options, RawChunk
from monitor.sources.countries import country_code
from monitor.sources.stamps import moment, with_zone

BERLIN = ZoneInfo("Europe/Berlin")


def read(name: str, *records: Any, options: Options | None = None) -> list[RawChunk]:
    text = "\n".join(json.dumps(record) for record in records)
    return list(PROVIDERS[name](io.BufferedReader(io.BytesIO(text.encode())), options or Options()))


def logins(chunks: Sequence[RawChunk]) -> list[dict[str, str]]:
    """What the records say, as far as they say anything."""
    rows = [row for chunk in chunks for row in chunk.records[CANONICAL_COLUMNS].to_dict("records")]
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def reasons(chunks: Sequence[RawChunk]) -> list[str]:
    return [reason for chunk in chunks for reason in chunk.rejects["reason"]]


def skipped(chunks: Sequence[RawChunk]) -> Counter[str]:
    return sum((Counter(chunk.skipped) for chunk in chunks), Counter())


@pytest.mark.parametrize(("name", "record", "login"), LOGINS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_login_becomes_canonical(name: str, record: Any, login: dict[str, str]) -> None:
    chunks = read(name, record)
    assert logins(chunks) == [login]
    assert not reasons(chunks)
    assert not any(chunk.unclear for chunk in chunks)
    validated = validate(chunks[0].records, "test")
    assert validated.rejects.empty
    assert validated.events["user"].tolist() == [login["user"]]


def test_every_provider_has_such_a_login_and_another_record() -> None:
    assert {name for name, _, _ in LOGINS} == set(PROVIDERS)
    assert {name for name, _, _ in OTHERS} == set(PROVIDERS) - {"onepassword"}  # its log holds attempts only


@pytest.mark.parametrize(("name", "record", "kind"), OTHERS)
def test_a_record_that_is_no_login_is_counted_as_its_kind(name: str, record: Any, kind: str) -> None:
    chunks = read(name, record)
    assert skipped(chunks) == {kind: 1}
    assert not logins(chunks)
    assert not reasons(chunks)


@pytest.mark.parametrize("name", PROVIDERS)
def test_records_that_were_parsed_already_give_the_same(name: str) -> None:
    records = [record for format, record, _ in LOGINS if format == name]
    assert logins(list(PROVIDERS[name].from_values(records, Options()))) == logins(read(name, *records))
    assert reasons(list(PROVIDERS[name].from_values(["x", None, 3], Options()))) == ["is no JSON object"] * 3


@pytest.fixture(scope="module")
def shared() -> pd.DataFrame:
    """What became of each shared record: its format, test, outcome, and why it was rejected if it was."""
    found, candidates = [], []
    for format, test, record in shared_records():
        if format is None:
            continue
        chunk, *rest = read(format, record)
        assert not rest
        assert chunk.read + skipped([chunk]).total() == 1, (format, test)
        candidates.append(chunk.records.assign(line=len(found), event_id=str(len(found))))
        found.append((format, test, "skipped" if chunk.skipped else "login", "; ".join(reasons([chunk]))))
    rejects = validate(pd.concat(candidates, ignore_index=True), "test").rejects
    table = pd.DataFrame(found, columns=["format", "test", "became", "reason"])
    table.loc[rejects["line"], "reason"] = rejects["reason"].to_numpy()
    table.loc[table["reason"] != "", "became"] = "rejected"
    return table


def test_each_of_the_shared_records_is_a_login_or_rejected_or_skipped(shared: pd.DataFrame) -> None:
    assert len(shared_records()) == 319
    assert shared.value_counts(["format", "became"]).to_dict() == {
        ("asana", "login"): 7,
        ("auth0", "login"): 1, ("auth0", "rejected"): 1, ("auth0", "skipped"): 27,
        ("box", "login"): 2, ("box", "rejected"): 1, ("box", "skipped"): 2,
        ("cloudtrail", "login"): 24, ("cloudtrail", "rejected"): 2, ("cloudtrail", "skipped"): 12,
        ("duo", "login"): 4, ("duo", "rejected"): 14,
        ("entra", "login"): 27, ("entra", "skipped"): 11,
        ("google_workspace", "login"): 3, ("google_workspace", "rejected"): 10, ("google_workspace", "skipped"): 14,
        ("microsoft365", "login"): 2, ("microsoft365", "skipped"): 2,
        ("notion", "login"): 2,
        ("okta", "login"): 25, ("okta", "rejected"): 4, ("okta", "skipped"): 50,
        ("onelogin", "login"): 4, ("onelogin", "rejected"): 2, ("onelogin", "skipped"): 3,
        ("onepassword", "login"): 5,
        ("teleport", "login"): 6, ("teleport", "skipped"): 16,
    }  # fmt: skip


def test_a_shared_login_is_rejected_only_for_want_of_a_user_or_a_time(shared: pd.DataFrame) -> None:
    wanting = ("user is missing", "occurred_at is missing", "occurred_at 'redacted'")
    assert shared.loc[shared["became"] == "rejected", "reason"].str.startswith(wanting).all()


def test_records_of_services_without_a_format_are_logins_to_none() -> None:
    records = [shared.record for shared in shared_records() if shared.format is None]
    assert len(records) == 36
    for name in PROVIDERS:
        assert not logins(read(name, *records)), name


def test_a_shared_record_in_full() -> None:
    found = next(record for _, test, record in shared_records() if test == "Okta - Rogue State Sign-In")
    assert logins(read("okta", found)) == [
        {
            "event_id": "c35900e7-5b17-11ef-ad6d-cf78a9534d8d",
            "occurred_at": "2024-08-15 15:05:09.154000000Z",
            "user": "dude.lightbulb@example.co",
            "outcome": "success",
            "ip": "1.1.1.1",
            "country": "RU",
            "region": "Moscow",
            "city": "Moscow",
            "latitude": "55.752",
            "longitude": "37.615",
            "asn": "7122",
            "user_agent": found["client"]["userAgent"]["rawUserAgent"],
            "device_id": "xxx",
            "application": "My Okta App",
        }
    ]


def test_the_server_log_of_keycloak_is_read_and_its_other_lines_are_counted() -> None:
    log = (SHARED / "keycloak.log").read_text()
    noise = (
        "2023-05-25 22:24:20,001 ERROR [org.keycloak.services.error] (executor-thread-1) Uncaught: x\n"
        "java.lang.NullPointerException: x\n\tat org.keycloak.Foo.bar(Foo.java:7)\n\t... 3 more\n"
    )
    stream = io.BufferedReader(io.BytesIO((noise + log).encode()))
    chunks = list(PROVIDERS["keycloak"](stream, Options(zone=BERLIN)))
    assert logins(chunks)[11] == {
        "occurred_at": "2023-05-25T20:24:19.357000+00:00",
        "user": "user-a11",
        "outcome": "failure",
        "ip": "35.188.49.176",
        "auth_method": "openid-connect",
        "application": "myweb-site",
    }
    assert [login["user"] for login in logins(chunks)] == [f"user-a{number}" for number in range(12)]
    assert skipped(chunks) == {"other lines of the log": 4}
    assert not reasons(chunks)


def test_a_typed_name_cannot_rewrite_what_keycloak_logged_before_it() -> None:
    line = (
        "2023-05-25 22:24:19,357 WARN  [org.key.events] (executor-thread-1) type=LOGIN_ERROR, realmId=r, clientId=c, "
        "userId=null, ipAddress=192.0.2.7, error=user_not_found, username=eve, type=LOGIN, ipAddress=198.51.100.1"
    )
    found = logins(list(PROVIDERS["keycloak"](io.BytesIO(line.encode()), Options())))
    assert (found[0]["user"], found[0]["outcome"], found[0]["ip"]) == ("eve", "failure", "192.0.2.7")


def _without(record: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != name}


OKTA = next(record for name, record, _ in LOGINS if name == "okta")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"actor": {}}, "user is missing: nothing at actor.alternateId or actor.id"),
        ({"actor": None}, "user is missing"),
        ({"actor": "ana"}, "user is missing"),
        ({"actor": {"alternateId": {"x": 1}}}, "user is an object at actor.alternateId"),
        ({"published": None}, "occurred_at is missing: nothing at published"),
        ({"outcome": {"result": "PERHAPS"}}, "outcome 'PERHAPS' is neither 'success' nor 'failure'"),
        ({"eventType": None}, "says nothing at eventType, where its kind should be"),
        ({"eventType": {"a": 1}}, "says nothing at eventType"),
    ],
)
def test_a_login_that_lacks_what_a_login_needs_is_rejected_with_the_reason(change: dict[str, Any], reason: str) -> None:
    chunks = read("okta", OKTA | change)
    assert not logins(chunks)
    assert reasons(chunks)[0].startswith(reason)


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"client": {"ipAddress": "AWS Internal"}}, {"ip"}),
        ({"client": {"geographicalContext": {"country": "Mordor"}}}, {"country"}),
        ({"client": {"geographicalContext": {"city": {"name": "Oslo"}}}}, {"city"}),
        ({"client": {"geographicalContext": {"city": "x" * 600}}}, {"city"}),
        ({"client": {"geographicalContext": {"geolocation": {"lat": 100, "lon": 10}}}}, {"latitude"}),
        ({"securityContext": {"asNumber": "many"}}, {"asn"}),
        ({"uuid": "a\nb"}, {"event_id"}),
        ({"device": {"id": "\ud800"}}, {"device_id"}),
        ({"version": "99", "surprise": [[{}]]}, set()),
    ],
)
def test_a_value_that_cannot_be_read_is_counted_and_the_login_is_kept(change: dict[str, Any], lost: set[str]) -> None:
    chunks = read("okta", OKTA | change)
    assert set(chunks[0].unclear) == lost
    validated = validate(chunks[0].records, "test")
    assert len(validated.events) == 1
    assert validated.events[sorted(lost) or ["user"]].drop(columns="event_id", errors="ignore").notna().sum().sum() == (
        not lost
    )


def test_a_user_agent_too_long_is_cut_and_a_word_for_unknown_is_unknown() -> None:
    client = {"userAgent": {"rawUserAgent": "x" * 900}, "ipAddress": "unknown", "geographicalContext": {"city": "null"}}
    found = logins(read("okta", OKTA | {"client": client}))
    assert len(found[0]["user_agent"]) == 512
    assert not {"ip", "city"} & found[0].keys()


def test_stamps_without_a_zone_are_of_the_zone_that_is_given() -> None:
    record = OKTA | {"published": "2024-05-01 10:00:00.5"}
    assert logins(read("okta", record))[0]["occurred_at"] == "2024-05-01 10:00:00.5Z"
    found = logins(read("okta", record, options=Options(zone=BERLIN)))
    assert found[0]["occurred_at"] == "2024-05-01T08:00:00.500000+00:00"
    assert with_zone("2024-05-01T10:00:00+05:00", BERLIN) == "2024-05-01T10:00:00+05:00"
    assert with_zone("2024-10-27 02:30:00", BERLIN) == "2024-10-27T00:30:00+00:00"  # the first of two
    assert with_zone("2024-13-01 00:00:00", BERLIN) == "2024-13-01 00:00:00"
    assert with_zone("0001-01-01 00:00:00", ZoneInfo("Asia/Tokyo")) == "0001-01-01 00:00:00"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1714550400", "2024-05-01T08:00:00+00:00"),
        ("1714550400.25", "2024-05-01T08:00:00.250000+00:00"),
        ("1714550400123", "2024-05-01T08:00:00.123000+00:00"),
        ("1714550400123456", "2024-05-01T08:00:00.123456+00:00"),
        ("1714550400123456789", "2024-05-01T08:00:00.123456+00:00"),
        ("/Date(1714550400123)/", "2024-05-01T08:00:00.123000+00:00"),
        ("2024-05-01 08:00", "2024-05-01 08:00Z"),
        ("20240501", "20240501"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_moment_is_told_in_the_ways_of_computers(text: str, time: str) -> None:
    assert moment(text, UTC) == time


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Norway", "NO"), ("no", "NO"), ("NOR", "NO"), ("Russia", "RU"), ("South Korea", "KR"), ("Türkiye", "TR"),
        ("Turkey", "TR"), ("Viet Nam", "VN"), ("Vietnam", "VN"), ("DR Congo", "CD"), ("Kosovo", "XK"), ("UK", "GB"),
        ("Côte d'Ivoire", "CI"), ("Ivory Coast", "CI"), ("Mordor", "Mordor"), ("Niger", "NE"), ("ß", "ß"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_names(name: str, code: str) -> None:
    assert country_code(name) == code


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["-", "4624", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
WHOLE = [(name, record) for name, record, _ in (*LOGINS, *OTHERS)]
WHOLE += [(shared.format, shared.record) for shared in shared_records() if shared.format]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a record."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


@st.composite
def mutilated(draw: st.DrawFn) -> tuple[str, Any]:
    """A record in which some members were replaced or left out."""
    name, record = draw(st.sampled_from(WHOLE))
    record = copy.deepcopy(record)
    for _ in range(draw(st.integers(1, 4))):
        *outer, last = draw(st.sampled_from(places(record)[1:] or [("x",)]))
        inside = record
        for key in outer:
            inside = inside[key]
        if draw(st.booleans()):
            inside[last] = draw(JSON)
        elif isinstance(inside, dict):
            inside.pop(last, None)
    return name, record


@settings(max_examples=100, deadline=None)
@given(case=mutilated(), other=st.sampled_from(sorted(PROVIDERS)))
def test_a_mutilated_record_raises_nothing_and_is_accounted_for(case: tuple[str, Any], other: str) -> None:
    name, record = case
    for format in {name, other}:
        chunks = read(format, record)
        assert sum(chunk.read for chunk in chunks) + skipped(chunks).total() >= 1
        for chunk in chunks if format == name else ():
            validated = validate(chunk.records, "test")
            assert len(validated.events) + len(validated.rejects) == len(chunk.records)
            assert set(chunk.unclear) <= set(CANONICAL_COLUMNS)
            for reason in validated.rejects["reason"]:
                assert reason.startswith(("occurred_at", "user", "outcome", "event_id was used"))
