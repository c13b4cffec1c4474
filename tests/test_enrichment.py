"""What an address says of a login beyond what its source says."""

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from monitor import enrichment
from monitor.enrichment import WITHOUT_FILES, Enricher, EnrichmentError, enricher
from monitor.events import EVENT_COLUMNS, validate

VIENNA = {
    "country": {"iso_code": "AT", "names": {"en": "Austria"}},
    "subdivisions": [{"iso_code": "9", "names": {"en": "Vienna"}}],
    "city": {"names": {"en": "Vienna", "de": "Wien"}},
    "location": {"latitude": 48.2, "longitude": 16.37, "accuracy_radius": 20},
}
SOMEWHERE = {
    "country": {"iso_code": "US"},
    "location": {"latitude": 37.75, "longitude": -97.8, "accuracy_radius": 1000},
}
PLACES = {"192.0.2.0/24": VIENNA, "198.51.100.0/24": SOMEWHERE, "2001:db8::/32": VIENNA, "10.0.0.0/8": VIENNA}


def write(path: Path, records: dict[str, Any], version: int = 6) -> Path:
    """A file in MaxMind's format, put in place the way its updater does."""
    writer = MMDBWriter(ip_version=version, ipv4_compatible=version == 6)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path.with_suffix(".new")))
    path.with_suffix(".new").replace(path)
    return path


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write(tmp_path / "city.mmdb", PLACES)


def events(*records: dict[str, object]) -> pd.DataFrame:
    rows = [
        {"event_id": str(n), "occurred_at": "2024-01-01T00:00:00Z", "user": "ana"} | r for n, r in enumerate(records)
    ]
    validated = validate(pd.DataFrame(rows, dtype=object), "test")
    assert validated.rejects.empty, validated.rejects
    return validated.events


def values(frame: pd.DataFrame, *names: str) -> list[tuple[object, ...]]:
    return [
        tuple(None if pd.isna(value) else value for value in row) for row in frame[list(names)].itertuples(index=False)
    ]


PLACE = ("country", "region", "city", "latitude", "longitude", "accuracy_km")


def test_a_place_is_looked_up_by_address(city: Path) -> None:
    found = Enricher(city)(events({"ip": "192.0.2.1"}, {"ip": "2001:db8::7"}, {"ip": "203.0.113.1"}, {}))
    vienna = ("AT", "Vienna", "Vienna", 48.2, 16.37, 20.0)
    assert values(found, *PLACE) == [vienna, vienna, (None,) * 6, (None,) * 6]
    assert list(found) == EVENT_COLUMNS


def test_coordinates_that_stand_for_a_whole_country_are_no_place(city: Path) -> None:
    assert values(Enricher(city)(events({"ip": "198.51.100.1"})), *PLACE) == [("US", *(None,) * 5)]


def test_what_an_event_carries_is_never_overwritten_nor_mixed_with_another_place(city: Path) -> None:
    found = Enricher(city)(
        events(
            {"ip": "192.0.2.1", "country": "AT"},
            {"ip": "192.0.2.1", "city": "vienna", "latitude": 48.0, "longitude": 16.0},
            {"ip": "192.0.2.1", "country": "DE"},
            {"ip": "192.0.2.1", "city": "Graz"},
        )
    )
    assert values(found, *PLACE) == [
        ("AT", "Vienna", "Vienna", 48.2, 16.37, 20.0),
        ("AT", "Vienna", "vienna", 48.0, 16.0, None),
        ("DE", None, None, None, None, None),
        (None, None, "Graz", None, None, None),
    ]


@pytest.mark.parametrize(
    ("ip", "kind"),
    [
        ("10.1.2.3", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", None),
        ("192.168.0.1", "private"),
        ("fd00::1", "private"),
        ("100.64.0.1", "carrier"),
        ("100.128.0.0", None),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.9.9", "link_local"),
        ("fe80::1", "link_local"),
        ("::ffff:10.1.2.3", "private"),
        ("192.0.2.1", None),
    ],
)
def test_special_addresses_are_recognised_and_lie_nowhere(tmp_path: Path, ip: str, kind: str | None) -> None:
    everywhere = write(tmp_path / "city.mmdb", {"0.0.0.0/1": VIENNA, "128.0.0.0/1": VIENNA, "8000::/1": VIENNA})
    assert values(WITHOUT_FILES(events({"ip": ip})), "network_kind", "country") == [(kind, None)]
    assert values(Enricher(everywhere)(events({"ip": ip})), "country") == [(None if kind else "AT",)]


def test_a_network_is_looked_up_by_address(tmp_path: Path) -> None:
    asn = write(tmp_path / "asn.mmdb", {"192.0.2.0/24": {"autonomous_system_number": 64496}}, version=4)
    found = Enricher(asn=asn)(events({"ip": "192.0.2.1"}, {"ip": "192.0.2.1", "asn": "7"}, {"ip": "2001:db8::1"}, {}))
    assert values(found, "asn") == [(64496,), (7,), (None,), (None,)]
    assert str(found["asn"].dtype) == "Int64"


def test_lists_name_kinds_of_networks_and_the_first_that_holds_an_address_counts(tmp_path: Path) -> None:
    (tmp_path / "tor").write_text("# exits\n\n192.0.2.7\n2001:db8::/64  # a relay\n")
    (tmp_path / "relay").write_text("192.0.2.0/25,GB,GB-ENG,London,\n192.0.2.0/26\n10.8.0.0/16\n")
    complete = Enricher(lists=[("tor", tmp_path / "tor"), ("relay", tmp_path / "relay")])
    addresses = ("192.0.2.7", "192.0.2.8", "192.0.2.127", "192.0.2.128", "2001:db8::9", "10.8.1.1", "10.9.0.1")
    kinds = [kind for (kind,) in values(complete(events(*({"ip": ip} for ip in addresses))), "network_kind")]
    assert kinds == ["tor", "relay", "relay", None, "tor", "relay", "private"]


def test_a_file_is_read_again_when_it_is_replaced(tmp_path: Path, city: Path) -> None:
    listed = tmp_path / "vpn"
    listed.write_text("198.51.100.1\n")
    complete = Enricher(city, lists=[("vpn", listed)])
    one = events({"ip": "192.0.2.1"})
    assert values(complete(one), "country", "network_kind") == [("AT", None)]
    write(city, {"192.0.2.0/24": {"country": {"iso_code": "DE"}}})
    listed.write_text("192.0.2.1\n")
    assert values(complete(one), "country", "network_kind") == [("DE", "vpn")]


@pytest.mark.parametrize("damage", ["cut short", "nonsense", "gone", "bad line"])
def test_a_damaged_replacement_leaves_what_was_before(tmp_path: Path, city: Path, damage: str) -> None:
    listed = tmp_path / "vpn"
    listed.write_text("192.0.2.1\n")
    complete = Enricher(city, lists=[("vpn", listed)])
    one = events({"ip": "192.0.2.1"})
    complete(one)
    if damage == "cut short":
        os.truncate(city, 100)  # in place, as by `cp`: a reader that has it mapped would be killed
    elif damage == "nonsense":
        city.write_bytes(b"nonsense")
    elif damage == "gone":
        city.unlink()
        listed.unlink()
    else:
        listed.write_text("192.0.2.1\nhere\n")
    for _ in range(2):
        assert values(complete(one), "country", "network_kind") == [("AT", "vpn")]
    write(city, {"192.0.2.0/24": {"country": {"iso_code": "DE"}}})
    assert values(complete(one), "country") == [("DE",)]


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_file_that_cannot_be_read_at_first_is_one_clear_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "city.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EnrichmentError, match=r"city\.mmdb cannot be used: ") as raised:
        Enricher(path)(events({"ip": "192.0.2.1"}))
    assert "\n" not in str(raised.value)


def test_a_list_with_a_bad_line_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "tor").write_text("192.0.2.1\n192.0.2.1/33\n")
    with pytest.raises(EnrichmentError, match="line 2 is no address and no range"):
        Enricher(lists=[("tor", tmp_path / "tor")])(events({"ip": "192.0.2.1"}))


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"country": "AT"},
        {"country": {"iso_code": "ZZ"}, "city": {"names": {"en": "\x00"}}, "subdivisions": []},
        {"country": {"iso_code": 7}, "subdivisions": {"names": 1}, "city": {"names": []}},
        {"location": {"latitude": 400.0, "longitude": 16.0}},
        {"location": {"latitude": "north", "longitude": 16.0, "accuracy_radius": -1}},
        {"autonomous_system_number": -1},
    ],
)
def test_whatever_a_record_says_the_event_stays_storable(tmp_path: Path, record: dict[str, Any]) -> None:
    path = write(tmp_path / "any.mmdb", {"192.0.2.0/24": record})
    found = Enricher(path, path)(events({"ip": "192.0.2.1"}))
    assert values(found, *PLACE, "asn") == [(None,) * 7]


def test_no_events_are_no_problem(city: Path) -> None:
    empty = validate(pd.DataFrame(), "test").events
    assert list(Enricher(city, city)(empty)) == EVENT_COLUMNS


def test_addresses_are_looked_up_once_and_files_opened_once(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str | None] = []
    look_up = enrichment._look_up
    monkeypatch.setattr(enrichment, "_look_up", lambda reader, ip: (looked_up.append(ip), look_up(reader, ip))[1])
    assert enricher(city, None, {}) is enricher(city, None, {})
    enricher(city, None, {})(events(*({"ip": f"192.0.2.{n % 3}"} for n in range(100))))
    assert len(looked_up) == 3
