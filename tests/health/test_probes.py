"""/healthz, /readyz and /metrics over real HTTP, of a scheduler and of the pages."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import Engine, text
from written import execute

from monitor.cli import cli
from monitor.config import Settings
from monitor.events import validate
from monitor.health.metrics import RunMetrics, registry
from monitor.health.pages import scheduler_pages
from monitor.health.server import MetricsAddressError, listening
from monitor.store import jobs
from monitor.store.engine import open_url, writing
from monitor.store.events import add_events, add_rejects
from web import create_app

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TOKEN = "0123456789abcdef"


class Leader:
    """What a scheduler tells of itself."""

    def __init__(self, leading: bool = True) -> None:
        self.leading, self.heartbeat = leading, time.monotonic()


@contextmanager
def served(
    engine: Engine, settings: Settings, scheduler: Leader, now: datetime = NOW
) -> Iterator[Callable[[str], tuple[int, str]]]:
    """A function that gets a path of a scheduler's small port: status and body."""
    metrics = registry(engine, lambda: now)
    runs = RunMetrics(metrics, lambda: scheduler.leading)
    runs.observe("score", "succeeded", 2.5, {"scored": 7, "waiting_for": "nothing"})
    pages = scheduler_pages(engine, settings, scheduler, metrics, lambda: now)
    with listening("127.0.0.1:0", pages) as address:

        def get(path: str) -> tuple[int, str]:
            assert address is not None
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

        yield get


def samples(page: str) -> dict[tuple[str, ...], float]:
    """Value by name and labels (in the order of their names), as a Prometheus parser reads them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def add_run(engine: Engine, job: str, ago: timedelta, error: str | None = None) -> None:
    with writing(engine) as connection:
        jobs.record_run(connection, uuid4(), job, NOW - ago, NOW - ago + timedelta(seconds=2), {}, error)


def lead(engine: Engine) -> None:
    with writing(engine) as connection:
        assert jobs.take_lease(connection, "scheduler", uuid4(), 600.0)


def test_metrics_tell_what_the_database_knows(database: Engine, settings: Settings) -> None:
    records = {"occurred_at": ["2026-03-10T11:00:00Z", "2026-03-10T11:30:00Z", "never"], "user": ["ada", "bob", "eve"]}
    found = validate(pd.DataFrame(records), 'vpn "1"\\')
    with writing(database) as connection:
        assert add_events(connection, found.events, NOW) == 2
        add_rejects(connection, 'vpn "1"\\', found.rejects, NOW)
    execute(database, "UPDATE monitor.unscored_event SET queued_at = :at", at=NOW - timedelta(seconds=90))
    add_run(database, "score", timedelta(hours=2))
    add_run(database, "score", timedelta(hours=1), "it broke")
    with served(database, settings, Leader()) as get:
        status, page = get("/metrics")
    told = samples(page)
    assert status == 200
    assert told["monitor_database_up",] == 1
    assert told["monitor_events_stored_total", 'vpn "1"\\'] == 2
    assert told["monitor_records_rejected_total", 'vpn "1"\\'] == 1
    assert told["monitor_source_last_received_timestamp_seconds", 'vpn "1"\\'] == NOW.timestamp()
    assert told["monitor_unscored_events",] == 2
    assert told["monitor_unscored_wait_seconds",] == 90
    assert told["monitor_job_failures", "score"] == 1
    assert told["monitor_job_last_success_timestamp_seconds", "score"] == (NOW - timedelta(hours=2)).timestamp()
    assert told["monitor_alerts", "critical", "open"] == 0
    assert told["monitor_leader",] == 1
    assert told["monitor_job_seconds_count", "score", "succeeded"] == 1
    assert told["monitor_job_items_total", "scored", "score"] == 7
    assert "process_resident_memory_bytes" in page


def test_a_load_twice_is_counted_once(database: Engine) -> None:
    events = validate(pd.DataFrame({"occurred_at": ["2026-03-10T11:00:00Z"], "user": ["ada"]}), "vpn").events
    for _ in range(2):
        with writing(database) as connection:
            add_events(connection, events, NOW)
    with database.connect() as connection:
        assert connection.execute(text("SELECT source, stored FROM reporting.source")).all() == [("vpn", 1)]


def test_without_its_database_a_scheduler_is_alive_but_not_ready_and_says_so(
    settings: Settings, make_database: Callable[[str], str], template: str, administrator: Engine
) -> None:
    engine = open_url(make_database(template))
    with served(engine, settings, Leader()) as get:
        assert get("/readyz")[0] == 200
        with administrator.connect() as connection:
            connection.execute(text(f"DROP DATABASE {engine.url.database} WITH (FORCE)"))
        assert get("/healthz") == (200, "alive\n")
        status, page = get("/readyz")
        assert (status, page.splitlines()[0]) == (503, "not ready")
        assert "database: " in page
        assert samples(get("/metrics")[1])["monitor_database_up",] == 0
    engine.dispose()


def test_an_older_schema_is_not_ready(database: Engine, settings: Settings) -> None:
    execute(database, "UPDATE monitor.alembic_version SET version_num = '0001'")
    with served(database, settings, Leader()) as get:
        status, page = get("/readyz")
    assert (status, "run: monitor init" in page) == (503, True)


def test_a_follower_is_ready_while_somebody_leads(database: Engine, settings: Settings) -> None:
    with served(database, settings, Leader(leading=False)) as get:
        assert get("/readyz") == (503, "not ready\nnobody leads\n")
        lead(database)
        assert get("/readyz") == (200, "ready, follower\n")
    with served(database, settings, Leader()) as get:
        assert get("/readyz") == (200, "ready, leader\n")


def test_a_job_without_a_success_for_long_is_not_ready_but_a_process_has_time_to_begin(
    database: Engine, settings: Settings
) -> None:
    lead(database)
    add_run(database, "score", timedelta(days=3))
    add_run(database, "score", timedelta(days=2), "it broke")
    with served(database, settings, Leader()) as get:
        assert get("/readyz")[0] == 200  # it began just now
    pages_started = NOW - timedelta(days=1)
    metrics = registry(database)
    moments = iter([pages_started, NOW])
    pages = scheduler_pages(database, settings, Leader(), metrics, lambda: next(moments))
    status, _, body = pages["/readyz"]("")
    assert status == 503
    assert b"job score has not succeeded since 2026-03-09 12:00 UTC: it broke" in body


def test_a_scheduler_that_hangs_is_not_alive(database: Engine, settings: Settings) -> None:
    hung = Leader()
    hung.heartbeat -= 1_000
    with served(database, settings, hung) as get:
        assert get("/healthz")[0] == 503


def test_other_paths_are_not_found_and_a_silent_client_holds_nobody_up(database: Engine, settings: Settings) -> None:
    with served(database, settings, Leader()) as get:
        assert get("/")[0] == 404
        assert get("/metrics?x=1")[0] == 200


def test_an_address_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(MetricsAddressError, match="cannot listen on MONITOR_METRICS_ADDRESS 127"),
            listening(address, {}),
        ):
            pass


@pytest.fixture
def pages(database: Engine, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A function that gets a path of the review pages."""
    url = SecretStr(database.url.render_as_string(hide_password=False))
    app = create_app(Settings(database_url=url, data_dir=tmp_path, metrics_token=SecretStr(TOKEN)))
    yield lambda path, **headers: app.test_client().get(path, headers=headers)
    app.extensions["monitor"].dispose()


def test_the_pages_tell_their_metrics_to_who_knows_the_token_alone(pages: Callable[..., Any]) -> None:
    assert pages("/metrics").status_code == 401
    assert pages("/metrics", Authorization="Bearer wrong").status_code == 401
    assert pages("/metrics", Authorization="Bearer \udcff").status_code == 401
    page = pages("/metrics", Authorization=f"Bearer {TOKEN}")
    assert samples(page.text)["monitor_database_up",] == 1


def test_without_a_token_configured_the_pages_have_no_metrics(database: Engine, tmp_path: Path) -> None:
    url = SecretStr(database.url.render_as_string(hide_password=False))
    app = create_app(Settings(database_url=url, data_dir=tmp_path))
    assert app.test_client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    app.extensions["monitor"].dispose()


def test_the_pages_are_alive_and_ready_without_a_scheduler_but_not_without_the_schema(
    pages: Callable[..., Any], database: Engine
) -> None:
    assert (pages("/healthz").text, pages("/readyz").status_code) == ("alive\n", 200)
    execute(database, "UPDATE monitor.alembic_version SET version_num = '0001'")
    assert pages("/readyz").status_code == 503
    assert pages("/readyz").text == "not ready\n"


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.database_url is not None
    monkeypatch.setenv("MONITOR_DATABASE_URL", settings.database_url.get_secret_value())


def test_status_tells_its_problems_and_with_check_fails_by_them(environment: None, database: Engine) -> None:
    asked = CliRunner().invoke(cli, ["status", "--json", "--check"])
    told = json.loads(asked.stdout)
    assert asked.exit_code == 1
    assert told["problems"] == [
        "no scheduler is running; start it with: monitor run",
        "there is no model yet; run: monitor train",
    ]
    lead(database)
    execute(
        database,
        "INSERT INTO monitor.model VALUES (gen_random_uuid(), 'rarity', 'active', '{hour}', '', '{}', now(), now())",
    )
    well = CliRunner().invoke(cli, ["status", "--check"])
    assert well.exit_code == 0, well.output
    execute(
        database, "INSERT INTO monitor.unscored_event VALUES (gen_random_uuid(), 's', 'e', '2026-01-01', '2026-01-02')"
    )
    late = CliRunner().invoke(cli, ["status", "--check"])
    assert late.exit_code == 1
    assert "an event has waited for its score for" in late.output
