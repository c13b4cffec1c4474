"""Transactions commit all or nothing, and a database that cannot be used is refused in one line without a password."""

import logging

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DataError, DBAPIError

from monitor.config import Settings
from monitor.store import engine as module
from monitor.store.engine import DatabaseError, connect, find, guarded, open_url, reading, writing

COUNT = text("SELECT count(*) FROM monitor.source_cursor")
INSERT = text("INSERT INTO monitor.source_cursor VALUES ('vpn', '{}', now())")


def test_writing_keeps_everything_or_nothing(database: Engine) -> None:
    with pytest.raises(ValueError, match="half-way"), writing(database) as connection:
        connection.execute(INSERT)
        raise ValueError("half-way")
    with reading(database) as connection:
        assert connection.scalar(COUNT) == 0
    with writing(database) as connection:
        connection.execute(INSERT)
    with reading(database) as connection:
        assert connection.scalar(COUNT) == 1


def test_reading_cannot_write_and_sees_one_moment(database: Engine) -> None:
    with reading(database) as connection:
        assert connection.scalar(COUNT) == 0
        with writing(database) as other:
            other.execute(INSERT)
        assert connection.scalar(COUNT) == 0
        with pytest.raises(DBAPIError, match="read-only transaction"):
            connection.execute(INSERT)


def test_a_connection_writes_again_after_it_has_been_read_only(database: Engine) -> None:
    for _ in range(3):
        with reading(database) as connection:
            connection.scalar(COUNT)
    with writing(database) as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"
        connection.execute(INSERT)


def test_times_come_back_in_utc_whatever_the_servers_zone(database: Engine) -> None:
    with writing(database) as connection:
        name = database.url.database
        connection.execute(text(f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'"))
    again = open_url(database.url.render_as_string(hide_password=False))
    with reading(again) as connection:
        assert connection.scalar(text("SELECT '2024-01-01 12:00Z'::timestamptz::text")) == "2024-01-01 12:00:00+00"
    again.dispose()


def test_a_guard_watches_every_transaction_of_its_engine_and_can_stop_it(database: Engine) -> None:
    class Refusing:
        seen = 0

        def begin(self, connection: Connection) -> None:
            self.seen += 1

        def before_commit(self, connection: Connection) -> None:
            raise RuntimeError("no more")

    guard = Refusing()
    watched = guarded(database, guard)
    with reading(watched):
        pass
    with pytest.raises(RuntimeError, match="no more"), writing(watched) as connection:
        connection.execute(INSERT)
    assert guard.seen == 2
    with reading(database) as connection:
        assert connection.scalar(COUNT) == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "no URL"),
        ("mysql://user:geheim@localhost/x", "only PostgreSQL"),
        ("postgresql://user:geheim@127.0.0.1:1/x", "cannot connect"),
        ("postgresql://user:geheim@no.such.host.invalid/x", "cannot connect"),
        ("postgresql://user:geheim@127.0.0.1:notaport/x", "no URL"),
    ],
)
def test_a_wrong_url_is_explained_in_one_line_without_its_password(
    url: str, says: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = settings.model_copy(update={"database_url": SecretStr(url)})
    with pytest.raises(DatabaseError, match=says) as raised:
        connect(wrong)
    assert "\n" not in str(raised.value)
    assert "geheim" not in str(raised.value) + repr(wrong) + caplog.text


def test_a_database_that_does_not_exist_is_named(database: Engine) -> None:
    url = database.url.set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(DatabaseError, match='database "nowhere" does not exist'):
        open_url(url)


def test_a_server_too_old_is_refused(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OLDEST_SERVER", 99)
    with pytest.raises(DatabaseError, match="99 or newer is needed"):
        open_url(database.url.render_as_string(hide_password=False))


def test_a_page_asks_the_driver_and_what_goes_wrong_is_told_like_any_other_error(database: Engine) -> None:
    with reading(database) as connection:
        (row,) = find(connection, "SELECT CAST(:share AS float8) AS share, '50 %' AS words", {"share": 0.5})
        assert (row.share, row.words) == (0.5, "50 %")
    with pytest.raises(DataError) as raised, reading(database) as connection:
        find(connection, "SELECT CAST(:word AS int)", {"word": "secret"})
    assert not raised.value.connection_invalidated and "[parameters" not in str(raised.value)


def test_a_lost_connection_takes_all_of_its_pool_with_it(database: Engine) -> None:
    engine = open_url(database.url.render_as_string(hide_password=False), ping=False)
    other = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid"
    with reading(engine) as one, reading(engine) as two:
        pids = [row.pid for asked in (one, two) for row in find(asked, "SELECT pg_backend_pid() AS pid", {})]
    with writing(database) as connection:
        for pid in pids:
            connection.execute(text(other), {"pid": pid})
    with pytest.raises(DBAPIError) as raised, reading(engine) as connection:
        find(connection, "SELECT 1 AS one", {})
    assert raised.value.connection_invalidated
    with reading(engine) as one, reading(engine) as two:
        assert all(find(asked, "SELECT 1 AS one", {}) == [(1,)] for asked in (one, two))
    engine.dispose()
