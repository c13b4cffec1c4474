"""Pulling from Keycloak's own database."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from keycloaks import TABLES, happened
from scheduling import wait_until
from sqlalchemy import Engine, text

from monitor.config import Settings, SourceSettings
from monitor.jobs.pull import PullError, pull, run
from monitor.store.engine import reading, writing

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def keycloak(empty_database: Engine) -> Iterator[Engine]:
    with writing(empty_database) as connection:
        connection.execute(text(TABLES))
    yield empty_database


def configured(settings: Settings, keycloak: Engine) -> Settings:
    url = keycloak.url.render_as_string(hide_password=False)
    return settings.model_copy(update={"sources": [SourceSettings(name="kc", kind="keycloak", url=url)]})  # type: ignore[arg-type]


def rows(database: Engine, columns: str) -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM reporting.login_event ORDER BY event_id"
    with reading(database) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_logins_and_failures_become_events_and_nothing_else_does(
    database: Engine, keycloak: Engine, settings: Settings
) -> None:
    moment = NOW - timedelta(minutes=5, milliseconds=877)
    happened(keycloak, "1", moment, details={"username": "Ana@corp.example", "auth_method": "openid-connect"})
    happened(keycloak, "2", NOW, "LOGIN_ERROR", {"username": "nobody"}, user_id=None, error="user_not_found")
    happened(keycloak, "3", NOW, "LOGIN", {"username": "ldap"}, user_id="f:1:ldap", ip_address="203.0.113.9, 10.0.0.1")
    happened(keycloak, "4", NOW, ip_address="unknown", client_id=None)
    for kind in ("LOGOUT", "CODE_TO_TOKEN", "REFRESH_TOKEN"):
        happened(keycloak, kind, NOW, kind)
    assert run(database, configured(settings, keycloak), NOW)["read"] == 4
    assert rows(database, "event_id, user_name, outcome, host(ip), application, auth_method") == [
        ("1", "ana", "success", "192.0.2.7", "portal", "openid-connect"),
        ("2", "nobody", "failure", "192.0.2.7", "portal", None),
        ("3", "ldap", "success", "203.0.113.9", "portal", None),
        ("4", "ana", "success", None, None, None),
    ]
    assert rows(database, "occurred_at")[0] == (moment,)


@pytest.mark.parametrize("details", ['{"username": "cut sho', "[]", "null", '{"username": 7}', "", '"' * 99])
def test_details_that_are_no_json_cost_no_login(
    database: Engine, keycloak: Engine, settings: Settings, details: str
) -> None:
    happened(keycloak, "1", NOW, details=details)
    happened(keycloak, "2", NOW, details=None)
    assert run(database, configured(settings, keycloak), NOW)["stored"] == 2


def test_what_an_attacker_types_stops_no_pull(database: Engine, keycloak: Engine, settings: Settings) -> None:
    typed = ["\x00", "\ud800", "a\nb", '"\\', "x" * 2000, "'; DROP TABLE realm; --", "\u202eana"]
    for number, name in enumerate(typed):
        happened(keycloak, str(number), NOW, "LOGIN_ERROR", {"username": name}, user_id=None)
    report = pull(database, configured(settings, keycloak), NOW)["kc"]
    assert (report.stored, report.rejected) == (4, 3)
    assert run(database, configured(settings, keycloak), NOW)["stored"] == 0


def test_later_versions_keep_the_details_in_another_column(
    database: Engine, keycloak: Engine, settings: Settings
) -> None:
    with writing(keycloak) as connection:
        connection.execute(text("ALTER TABLE event_entity ADD details_json_long_value text"))
    long = json.dumps({"username": "bob", "user_agent": "x" * 5000})
    happened(keycloak, "1", NOW, user_id=None, details_json=None, details_json_long_value=long)
    assert run(database, configured(settings, keycloak), NOW)["stored"] == 1
    assert rows(database, "user_name") == [("bob",)]


def test_an_event_that_is_committed_late_is_stored_once(database: Engine, keycloak: Engine, settings: Settings) -> None:
    settings = configured(settings, keycloak)
    happened(keycloak, "1", NOW)
    pull(database, settings, NOW)
    happened(keycloak, "0", NOW - timedelta(hours=3))
    assert [run(database, settings, NOW)["stored"] for _ in range(2)] == [1, 0]


def test_a_pull_reads_by_the_index(database: Engine, keycloak: Engine, settings: Settings) -> None:
    with writing(keycloak) as connection:
        connection.execute(
            text(
                "INSERT INTO event_entity (id, realm_id, event_time, type, user_id) "
                "SELECT n, 'r1', :now - n::bigint * 60000, 'LOGIN', 'a1' FROM generate_series(1, 50000) n"
            ),
            {"now": int(NOW.timestamp() * 1000)},
        )
    settings = configured(settings, keycloak)
    pull(database, settings, NOW)
    with writing(keycloak) as connection:
        connection.execute(text("ANALYZE event_entity, realm, user_entity"))
        connection.execute(text("SELECT pg_stat_reset()"))
    assert run(database, settings, NOW)["read"] == 361
    # The session that pulled reports what it did when it ends, a moment after we are told that it has.
    wait_until(lambda: scanned(keycloak) > 0)
    assert scanned(keycloak) < 1000


def scanned(keycloak: Engine) -> int:
    """Entries of the index on event times that were read."""
    with reading(keycloak) as connection:
        scans = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'idx_event_time'"
        return int(connection.scalar(text(scans)))


def test_a_database_that_is_not_keycloaks_is_explained(
    database: Engine, empty_database: Engine, settings: Settings
) -> None:
    with pytest.raises(PullError, match=r"^source 'kc': relation \"event_entity\" does not exist"):
        pull(database, configured(settings, empty_database), NOW)
