"""Pulling from a real database that others write to, at their pace and in their order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from killing import kill_before_commit
from sqlalchemy import Engine, text

from monitor.config import Settings, SourceSettings
from monitor.jobs import pull as module
from monitor.jobs.pull import PullError, pull, run
from monitor.sources import base
from monitor.store.engine import reading, writing
from monitor.store.events import add_events

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
QUERY = 'SELECT id::text AS event_id, at AS occurred_at, who AS "user", host AS ip FROM login'


@pytest.fixture
def others(empty_database: Engine) -> Iterator[Engine]:
    """A database of others, with a table of logins."""
    with writing(empty_database) as connection:
        connection.execute(text("CREATE TABLE login (id serial, at timestamptz, who text, host inet)"))
    yield empty_database


def insert(others: Engine, *times: datetime, who: str = "ana") -> None:
    with writing(others) as connection:
        for time in times:
            connection.execute(
                text("INSERT INTO login (at, who, host) VALUES (:at, :who, '192.0.2.1')"), {"at": time, "who": who}
            )


def insert_many(others: Engine, count: int, minutes: str) -> None:
    """Logins n = 1 to `count`, each so many minutes ago."""
    time = f":now - {minutes} * interval '1 minute'"
    with writing(others) as connection:
        query = f"INSERT INTO login (at, who) SELECT {time}, 'u' || n % 7 FROM generate_series(1, :count) n"
        connection.execute(text(query), {"now": NOW, "count": count})


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def source(others: Engine, query: str = QUERY, name: str = "app", **options: Any) -> SourceSettings:
    return SourceSettings(name=name, url=url_of(others), query=query, **options)  # type: ignore[arg-type]


def configured(settings: Settings, *sources: SourceSettings) -> Settings:
    return settings.model_copy(update={"sources": list(sources)})


def stored(database: Engine, name: str = "app") -> list[int]:
    query = text("SELECT event_id FROM monitor.login_event WHERE source = :name")
    with reading(database) as connection:
        return sorted(int(event_id) for event_id in connection.scalars(query, {"name": name}))


def cursor_of(database: Engine, name: str = "app") -> Any:
    with reading(database) as connection:
        return connection.scalar(text("SELECT cursor FROM monitor.source_cursor WHERE source = :name"), {"name": name})


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def test_a_pull_stores_what_is_new_and_a_second_one_nothing(
    database: Engine, others: Engine, settings: Settings
) -> None:
    insert(others, ago(days=40), ago(hours=2), ago(minutes=1))
    settings = configured(settings, source(others))
    assert run(database, settings, NOW) == {"sources": 1, "read": 3, "stored": 3, "duplicate": 0, "rejected": 0}
    assert run(database, settings, NOW) == {"sources": 1, "read": 2, "stored": 0, "duplicate": 2, "rejected": 0}
    insert(others, NOW)
    assert run(database, settings, NOW)["stored"] == 1
    assert stored(database) == [1, 2, 3, 4]


def test_an_empty_source_has_no_cursor(database: Engine, others: Engine, settings: Settings) -> None:
    assert pull(database, configured(settings, source(others)), NOW)["app"].read == 0
    assert cursor_of(database) is None


def test_an_event_that_arrives_three_hours_late_is_stored_once(
    database: Engine, others: Engine, settings: Settings
) -> None:
    settings = configured(settings, source(others))
    insert(others, ago(minutes=5))
    pull(database, settings, NOW)
    insert(others, ago(minutes=5) - timedelta(hours=3))
    for _ in range(2):
        pull(database, settings, NOW + timedelta(minutes=1))
    assert stored(database) == [1, 2]


def test_a_row_committed_after_one_with_a_higher_key_is_stored_once(
    database: Engine, others: Engine, settings: Settings
) -> None:
    settings = configured(settings, source(others))
    slow = others.connect()
    slow.execute(text("INSERT INTO login (at, who) VALUES (:at, 'slow')"), {"at": ago(minutes=2)})
    insert(others, ago(minutes=1))
    pull(database, settings, NOW)
    assert stored(database) == [2]
    slow.commit()
    slow.close()
    for _ in range(2):
        pull(database, settings, NOW)
    assert stored(database) == [1, 2]


def test_reading_again_costs_what_the_overlap_holds_and_not_what_the_history_holds(
    database: Engine, others: Engine, settings: Settings
) -> None:
    settings = configured(settings, source(others, overlap_minutes=60))
    insert(others, *(ago(minutes=10 * number) for number in range(300)))
    assert pull(database, settings, NOW)["app"].read == 300
    costs = []
    for hour in range(1, 4):
        insert(others, *(NOW + timedelta(hours=hour, minutes=-10 * number) for number in range(6)))
        costs.append(pull(database, settings, NOW + timedelta(hours=hour))["app"].read)
    assert costs == [12 + 1] * 3
    assert len(stored(database)) == 318


def test_an_event_from_the_future_does_not_make_the_next_pull_skip_the_present(
    database: Engine, others: Engine, settings: Settings
) -> None:
    settings = configured(settings, source(others, overlap_minutes=0))
    insert(others, datetime(2099, 1, 1, tzinfo=UTC))
    pull(database, settings, NOW)
    insert(others, NOW + timedelta(minutes=1))
    pull(database, settings, NOW + timedelta(minutes=2))
    assert stored(database) == [1, 2]


def test_a_bad_row_is_rejected_and_the_rest_goes_in(database: Engine, others: Engine, settings: Settings) -> None:
    insert(others, ago(hours=1), ago(minutes=30))
    insert(others, ago(minutes=20), who="")
    insert(others, ago(minutes=10), who='"quoted", with\na break')
    with writing(others) as connection:
        connection.execute(
            text("INSERT INTO login (at, who) VALUES ('infinity', 'ana'), ('-infinity', 'ana'), (NULL, 'ana')")
        )
    for _ in range(2):
        report = pull(database, configured(settings, source(others)), NOW)["app"]
    assert stored(database) == [1, 2, 4]
    assert report.reasons == {"user is missing": 1, "occurred_at … is no ISO 8601 time": 1}
    with reading(database) as connection:
        reasons = connection.scalars(text("SELECT reason FROM monitor.rejected_record ORDER BY 1")).all()
        users = connection.scalars(text("SELECT user_name FROM monitor.account ORDER BY 1")).all()
    assert reasons == [
        "occurred_at '-infinity' is no ISO 8601 time",
        "occurred_at 'infinity' is no ISO 8601 time",
        "occurred_at is missing",
        "user is missing",
    ]
    assert users == ['"quoted", with�a break', "ana"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT at AS occurred_at FROM login", "no column user"),
        ('SELECT who AS "user" FROM login', "no column occurred_at"),
        (QUERY.replace("host AS ip", "host"), "unknown column host"),
        (QUERY.replace("host AS ip", 'who AS "user"'), "'user' twice"),
        (QUERY.replace("at AS", "at::timestamp AS"), "of type timestamp without time zone"),
        (QUERY.replace("login", "logins"), 'relation "logins" does not exist'),
        ("SELECT FROM WHERE", "syntax error"),
        (QUERY + " WHERE pg_sleep(60) IS NULL", "statement timeout"),
        (QUERY.replace("host AS ip", "note(who) AS city"), "read-only transaction"),
        ("SELECT 1) AS x; DROP TABLE login; --", "syntax error"),
    ],
)
def test_a_query_that_does_not_do_is_explained_and_harms_nothing(
    database: Engine, others: Engine, settings: Settings, query: str, reason: str
) -> None:
    insert(others, NOW)
    with writing(others) as connection:
        body = "INSERT INTO login (who) VALUES (name) RETURNING who"
        connection.execute(text(f"CREATE FUNCTION note(name text) RETURNS text LANGUAGE sql AS '{body}'"))
    settings = configured(settings, source(others, query)).model_copy(update={"job_deadline_seconds": 1.0})
    with pytest.raises(PullError, match="^source 'app': .*" + reason) as raised:
        pull(database, settings, NOW)
    assert "\n" not in str(raised.value)
    with reading(others) as connection:
        assert connection.scalar(text("SELECT count(*) FROM login")) == 1


def test_a_query_may_end_in_a_comment_or_a_semicolon(database: Engine, others: Engine, settings: Settings) -> None:
    insert(others, NOW)
    sources = [source(others, QUERY + end, name) for name, end in (("a", " -- all of them"), ("b", " ;\n"))]
    assert run(database, configured(settings, *sources), NOW)["stored"] == 2


def test_a_dead_source_is_reported_and_does_not_stop_the_others(
    database: Engine, others: Engine, settings: Settings
) -> None:
    insert(others, NOW)
    secret = "postgresql://monitor:s3cret@127.0.0.1:1/none"  # nothing listens on port 1
    dead = [SourceSettings(name=name, url=secret, query=QUERY) for name in ("dead", "gone")]  # type: ignore[arg-type]
    unusable = SourceSettings(name="odd", url="no url", query=QUERY)  # type: ignore[arg-type]
    settings = configured(settings, dead[0], source(others), unusable, dead[1])
    with pytest.raises(PullError) as raised:
        pull(database, settings, NOW)
    assert list(raised.value.failures) == ["dead", "odd", "gone"]
    assert "refused" in raised.value.failures["dead"]
    assert "s3cret" not in str(raised.value)
    assert stored(database) == [1]


def test_one_source_can_be_pulled_without_the_others(database: Engine, others: Engine, settings: Settings) -> None:
    insert(others, NOW)
    settings = configured(settings, source(others, name="a"), source(others, name="b"))
    assert run(database, settings, NOW, "b")["sources"] == 1
    assert (stored(database, "a"), stored(database, "b")) == ([], [1])


def test_a_query_may_name_the_time_that_it_is_read_from(database: Engine, others: Engine, settings: Settings) -> None:
    insert(others, NOW)
    settings = configured(settings, source(others, QUERY + " WHERE at >= :since AND who <> 'a::since'"))
    assert [run(database, settings, NOW)["read"] for _ in range(2)] == [1, 1]


def test_a_failure_while_storing_is_not_blamed_on_the_source(
    database: Engine, others: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> int:
        raise RuntimeError("disk full")

    insert(others, NOW)
    monkeypatch.setattr(module, "add_events", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        pull(database, configured(settings, source(others)), NOW)


def test_cursor_and_events_are_committed_together(
    database: Engine, others: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = configured(settings, source(others))

    def fail(*arguments: object) -> None:
        raise RuntimeError("just before the commit")

    insert(others, NOW)
    with monkeypatch.context() as patched:
        patched.setattr(module, "set_source_cursor", fail)
        with pytest.raises(RuntimeError):
            pull(database, settings, NOW)
    assert stored(database) == []
    assert cursor_of(database) is None
    pull(database, settings, NOW)
    assert stored(database) == [1]
    assert cursor_of(database) == {"occurred_at": NOW.isoformat()}


def test_a_pull_killed_in_the_middle_goes_on_where_it_was_and_loses_and_doubles_nothing(
    database: Engine, others: Engine, settings: Settings
) -> None:
    insert_many(others, 6_000, "n")
    script = f"""
from datetime import datetime
from monitor.config import Settings, SourceSettings
from monitor.store.engine import open_url
source = SourceSettings(name="app", url=sys.argv[2], query={QUERY!r})
module.pull(open_url(sys.argv[1]), Settings(sources=[source]), datetime.fromisoformat({NOW.isoformat()!r}))
"""
    kill_before_commit("monitor.jobs.pull", 3, script, url_of(database), url_of(others))
    before = len(stored(database))
    assert 0 < before < 6_000
    with reading(database) as connection:
        latest = connection.scalar(text("SELECT max(occurred_at) FROM monitor.login_event"))
    assert datetime.fromisoformat(cursor_of(database)["occurred_at"]) == latest
    report = pull(database, configured(settings, source(others)), NOW)["app"]
    assert report.stored == 6_000 - before
    assert report.duplicate == 6 * 60 + 1
    assert stored(database) == list(range(1, 6_001))


def test_a_pull_that_breaks_off_loses_nothing_whatever_the_order_of_the_rows(
    database: Engine, others: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "CHUNK_RECORDS", 1_000)
    insert_many(others, 5_000, "n * 7919 % 5003")
    settings = configured(settings, source(others, QUERY + " ORDER BY at DESC", overlap_minutes=0))
    calls: list[Any] = []

    def fail_at_the_third(*arguments: Any) -> int:
        calls.append(arguments)
        if len(calls) == 3:
            raise RuntimeError("broken off")
        return add_events(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(module, "add_events", fail_at_the_third)
        with pytest.raises(RuntimeError, match="broken off"):
            pull(database, settings, NOW)
    assert 0 < len(stored(database)) < 5_000
    pull(database, settings, NOW)
    assert stored(database) == list(range(1, 5_001))
    assert datetime.fromisoformat(cursor_of(database)["occurred_at"]) == ago(minutes=1)
