"""Pseudonyms hide who somebody is from whoever reads the database, and nothing from detection."""

import ipaddress
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from companies import NOW, START, UNTIL, number, rows, settings_for, url_of
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Engine, text

from monitor import pseudonyms
from monitor.cli import cli
from monitor.config import ConfigError, Settings
from monitor.events import validate
from monitor.jobs import score
from monitor.jobs.forget import forget
from monitor.jobs.ingest import ingest
from monitor.jobs.pull import pull
from monitor.jobs.train import train
from monitor.simulation import simulate, write
from monitor.store import tables
from monitor.store.engine import open_url, reading, writing
from monitor.store.pseudonyms import PseudonymKeyError

KEY = bytes(range(64))

addresses = st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str)


def network(ip: str) -> str:
    size = 24 if ipaddress.ip_address(ip).version == 4 else 48
    return str(ipaddress.ip_network((ip, size), strict=False))


@given(addresses, addresses)
def test_addresses_keep_who_is_the_same_and_who_shares_a_network_and_nothing_else(one: str, other: str) -> None:
    mine, theirs = pseudonyms.address(KEY, one), pseudonyms.address(KEY, other)
    assert (mine == theirs) == (one == other)
    assert (network(mine) == network(theirs)) == (network(one) == network(other))
    assert ipaddress.ip_address(mine) in ipaddress.ip_network("fd00::/8")


def test_neighbours_share_the_network_of_their_pseudonyms() -> None:
    found = {network(pseudonyms.address(KEY, f"192.0.2.{last}")) for last in (1, 99, 255)}
    assert len(found) == 1
    assert network(pseudonyms.address(KEY, "192.0.3.1")) not in found
    assert network(pseudonyms.address(KEY, "2001:db8:1::1")) == network(pseudonyms.address(KEY, "2001:db8:1:ffff::2"))


def test_another_key_gives_other_pseudonyms() -> None:
    assert pseudonyms.user(KEY, "ada") != pseudonyms.user(KEY[::-1], "ada")
    assert pseudonyms.user(KEY, "ada") == pseudonyms.user(KEY, "ada")
    assert pseudonyms.address(KEY, "192.0.2.1") != pseudonyms.address(KEY[::-1], "192.0.2.1")


def test_unknown_addresses_stay_unknown_and_ids_of_the_source_stay_as_they_are() -> None:
    records = {"occurred_at": ["2026-03-01T00:00:00Z"] * 2, "user": ["ada", "bob"], "event_id": ["okta-1", None]}
    events = validate(pd.DataFrame(records), "vpn").events
    found = pseudonyms.pseudonymous(events, KEY)
    assert found["ip"].isna().all()
    assert found["event_id"][0] == "okta-1"
    assert found["event_id"][1] != events["event_id"][1]  # that one was a digest of the name
    assert found.dtypes.equals(events.dtypes)
    assert pseudonyms.pseudonymous(events, None) is events


def everything(engine: Engine) -> str:
    with reading(engine) as connection:
        return "\n".join(
            row
            for table in tables.metadata.sorted_tables
            for row in connection.scalars(text(f"SELECT t::text FROM monitor.{table.name} t"))
        )


def test_the_database_holds_no_name_and_no_address_and_scores_are_the_same(
    database: Engine, make_database: object, template: str, tmp_path: Path
) -> None:
    plain = open_url(make_database(template))  # type: ignore[operator]
    simulated = simulate("corporate", 20, 12, seed=3, start=START, attacks_per_kind=1, attacks_from=0.8)
    file, _ = write(simulated, tmp_path)
    scores = []
    for engine, key in ((plain, None), (database, KEY)):
        report = ingest(engine, [file], "csv", "company", now=NOW, key=key)
        assert report.stored == len(simulated.events)
        train(engine, settings_for(engine), START + (UNTIL - START) / 2, "rarity")
        score.run(engine, settings_for(engine), NOW)
        scores.append(rows(engine, "SELECT event_id, score, alerted FROM reporting.login_score ORDER BY event_id"))
    plain.dispose()
    pd.testing.assert_frame_equal(scores[0], scores[1], rtol=1e-5)
    dumped = everything(database)
    for hidden in {*simulated.events["user"], *simulated.events["ip"].dropna()}:
        assert hidden not in dumped


def test_rejected_records_are_withheld_but_counted(database: Engine, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(
        "occurred_at,user,ip\nnever,ada,1.2.3.4\n'ada's day',ada,1.2.3.4\n2026-03-01T00:00:00Z,ada,o'1.2'3.4\n"
    )
    kept = tmp_path / "rejects.csv"
    for _ in range(2):
        report = ingest(database, [file], "csv", "vpn", now=NOW, key=KEY, rejects=kept)
        assert report.rejected == 3
    assert "ada" in kept.read_text()  # the operator's own file
    dumped = everything(database)
    assert number(database, "SELECT count(*) FROM monitor.rejected_record") == 3
    for hidden in ("ada", "1.2", "3.4", "never", "day"):
        assert hidden not in dumped


def test_one_database_has_one_key(database: Engine, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("occurred_at,user\n2026-03-01T00:00:00Z,ada\n")
    ingest(database, [file], "csv", "vpn", now=NOW, key=KEY)
    with pytest.raises(PseudonymKeyError, match="holds pseudonyms"):
        ingest(database, [file], "csv", "vpn", now=NOW)
    with pytest.raises(PseudonymKeyError, match="another key"):
        ingest(database, [file], "csv", "vpn", now=NOW, key=KEY[::-1])
    with pytest.raises(PseudonymKeyError, match="holds pseudonyms"):
        pull(database, settings_for(database), NOW)


def test_a_database_with_names_takes_no_pseudonyms(database: Engine, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("occurred_at,user\n2026-03-01T00:00:00Z,ada\n")
    ingest(database, [file], "csv", "vpn", now=NOW)
    with pytest.raises(PseudonymKeyError, match="names as they are"):
        ingest(database, [file], "csv", "vpn", now=NOW, key=KEY)


def test_pulled_logins_get_pseudonyms_too(database: Engine, empty_database: Engine, tmp_path: Path) -> None:
    with writing(empty_database) as connection:
        connection.execute(text("CREATE TABLE login AS SELECT '2026-03-01Z'::timestamptz AS at, 'ada' AS who"))
    secret = tmp_path / "key"
    secret.write_bytes(b"0123456789abcdef" * 2)
    source = {
        "name": "sso",
        "url": SecretStr(url_of(empty_database)),
        "query": "SELECT at AS occurred_at, who AS user FROM login",
    }
    pull(database, settings_for(database, pseudonym_key_file=secret, sources=[source]), NOW)
    assert number(database, "SELECT count(*) FROM monitor.account WHERE user_name LIKE 'p-%'") == 1
    key = settings_for(database, pseudonym_key_file=secret).pseudonym_key()
    assert forget(database, "ada", NOW, key=key).counts["login_event"] == 1


def test_an_investigator_with_the_key_finds_the_pseudonym(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "key"
    secret.write_bytes(b"0123456789abcdef" * 2 + b"\n")
    monkeypatch.setenv("MONITOR_PSEUDONYM_KEY_FILE", str(secret))
    key = Settings().pseudonym_key()
    assert key is not None
    assert CliRunner().invoke(cli, ["pseudonym", "ada"]).output == f"{pseudonyms.user(key, 'ada')}\n"
    assert CliRunner().invoke(cli, ["pseudonym", "192.0.2.1"]).output == f"{pseudonyms.address(key, '192.0.2.1')}\n"
    monkeypatch.delenv("MONITOR_PSEUDONYM_KEY_FILE")
    assert CliRunner().invoke(cli, ["pseudonym", "ada"]).exit_code == 1


def test_a_key_that_is_short_or_missing_is_refused(tmp_path: Path) -> None:
    short = tmp_path / "key"
    short.write_bytes(b"secret\n")
    with pytest.raises(ConfigError, match="holds 6 bytes; 32 are needed"):
        Settings(pseudonym_key_file=short).pseudonym_key()
    with pytest.raises(ConfigError, match="No such file"):
        Settings(pseudonym_key_file=tmp_path / "none").pseudonym_key()
