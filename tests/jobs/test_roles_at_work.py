"""Each process works with its own role alone, whoever is connected."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from companies import NOW, UNTIL, url_of
from pydantic import SecretStr
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from monitor.cli import cli
from monitor.config import ChannelSettings, Settings, SourceSettings
from monitor.scheduler import Scheduler, standard_jobs
from monitor.store import jobs
from monitor.store.engine import DatabaseError, acting, guarded, open_url, reading, writing
from monitor.store.roles import INGEST, REPORTING, SCORER, WEB
from web import create_app

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sql.md").read_text(encoding="utf-8")

Logins = Callable[[str], str]


@pytest.fixture
def login(company: Engine, administrator: Engine) -> Iterator[Logins]:
    """A function that makes a login, member of the roles named and of nothing else, and gives its URL."""
    made: list[str] = []

    def make(roles: str) -> str:
        name = f"test_{uuid4().hex}"
        with administrator.connect() as connection:
            connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'secret' IN ROLE {roles}"))
        made.append(name)
        return make_url(company.url).set(username=name, password="secret").render_as_string(hide_password=False)

    yield make
    with administrator.connect() as connection:
        for name in made:
            connection.execute(text(f"DROP ROLE {name}"))


def monitor(url: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("MONITOR_DATABASE_URL", url)
    monkeypatch.setenv("MONITOR_DETECTOR", "rarity")
    result = CliRunner().invoke(cli, arguments, prog_name="monitor")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize("as_owner", [True, False], ids=["as the owner", "as a member"])
def test_every_process_works_with_its_role_alone(
    as_owner: bool, company: Engine, login: Logins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = company.url.render_as_string(hide_password=False)
    urls = {role: owner if as_owner else login(role) for role in (INGEST, SCORER, WEB, REPORTING)}
    events = tmp_path / "events.csv"
    events.write_text(
        f"event_id,occurred_at,user,country\n1,{UNTIL.replace(year=2031).isoformat()},ada,DE\n2,x,ada,DE\n"
    )

    done = monitor(urls[INGEST], monkeypatch, "ingest", str(events), "--format", "csv", "--source", "new month")
    assert "stored 1, duplicate 0, rejected 1" in done.output, done.output
    for arguments in (["score"], ["calibrate"], ["train", "--until", NOW.isoformat()], ["score"], ["status"]):
        done = monitor(urls[SCORER], monkeypatch, *arguments)
        assert done.exit_code == 0, (arguments, done.output)
    with reading(company) as connection:
        alert_id = connection.scalar(text("SELECT alert_id FROM monitor.alert ORDER BY score DESC LIMIT 1"))
    for verdict in ("dismiss", "undo", "confirm"):
        done = monitor(urls[WEB], monkeypatch, "review", str(alert_id), verdict, "--by", "kim")
        assert done.exit_code == 0, done.output
    done = monitor(urls[REPORTING], monkeypatch, "sql", "SELECT status FROM alert ORDER BY score DESC LIMIT 1")
    assert "confirmed" in done.output


@pytest.mark.parametrize("as_owner", [True, False], ids=["as the owner", "as a member"])
def test_the_scheduler_runs_every_job_with_the_roles_of_loading_and_scoring(
    as_owner: bool, company: Engine, login: Logins, settings: Settings, tmp_path: Path
) -> None:
    engine = open_url(url_of(company) if as_owner else login(f"{INGEST}, {SCORER}"))
    query = "SELECT '1' AS event_id, timestamptz '2026-03-20Z' AS occurred_at, 'eve' AS user"
    source = SourceSettings(name="remote", url=SecretStr(url_of(company)), query=query)
    channel = ChannelSettings(name="siem", kind="jsonl", target=SecretStr(str(tmp_path / "alerts.jsonl")))
    changes = {"detector": "rarity", "retention_days": 36_500, "lease_seconds": 1.0}
    settings = settings.model_copy(update=changes | {"sources": [source], "channels": [channel]})
    scheduler, stop = Scheduler(acting(engine, SCORER), settings, standard_jobs(settings)), Event()
    thread = Thread(target=scheduler.run, args=(stop,))
    thread.start()
    try:
        wanted = {"pull remote", "score", "notify siem", "calibrate", "train", "prune"}
        for _ in range(600):
            with reading(company) as connection:
                runs = connection.execute(
                    text("SELECT job, status, error FROM reporting.job_run WHERE status <> 'running'")
                ).all()
            if {run.job for run in runs} >= wanted:
                break
            sleep(0.1)
    finally:
        stop.set()
        thread.join(20)
        engine.dispose()
    assert {run.job for run in runs} >= wanted
    assert {(run.status, run.error) for run in runs} == {("succeeded", None)}
    with reading(company) as connection:
        assert connection.scalar(text("SELECT count(*) FROM monitor.login_event WHERE source = 'remote'")) == 1


def test_a_hung_run_of_a_member_is_ended(company: Engine, login: Logins) -> None:
    engine = acting(open_url(login(f"{INGEST}, {SCORER}")), SCORER)
    run, hung = uuid4(), Event()
    guard = jobs.RunGuard(jobs.Lease("scheduler", uuid4(), 1), run, monotonic() + 60)

    def work() -> None:
        with pytest.raises(DBAPIError), writing(guarded(engine, guard)) as connection:
            hung.set()
            connection.execute(text("SELECT pg_sleep(60)"))

    thread = Thread(target=work)
    thread.start()
    hung.wait(10)
    with writing(engine) as connection:
        jobs.end_sessions(connection, [run])
    thread.join(10)
    assert not thread.is_alive()
    engine.dispose()


def test_the_pages_open_for_a_member_of_the_web_role(company: Engine, login: Logins) -> None:
    app = create_app(Settings(database_url=SecretStr(login(WEB))))
    assert app.test_client().get("/sign-in").status_code == 200
    app.extensions["monitor"].dispose()


def test_a_login_without_the_role_is_told_what_it_lacks(
    company: Engine, login: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = login(SCORER)
    for arguments in (["pull"], ["ingest", __file__, "--format", "csv", "--source", "x"], ["sql", "SELECT 1"]):
        monkeypatch.setenv("MONITOR_SOURCES", '[{"name": "x", "url": "x", "query": "x"}]')
        done = monitor(url, monkeypatch, *arguments)
        assert done.exit_code == 1
        told = done.stderr.splitlines()[-1]
        assert re.search(
            r"^Error: login test_\w+ may not act as (\w+); have an administrator run: GRANT \1 TO test_", told
        )
    with pytest.raises(DatabaseError, match="may not act as monitor_web"):
        create_app(Settings(database_url=SecretStr(url)))
    done = monitor(url, monkeypatch, "reviewer", "add", "eve")
    assert done.stderr == "Error: database: InsufficientPrivilege: permission denied for table reviewer\n"


def test_the_pages_logins_do_what_it_says(company: Engine, administrator: Engine) -> None:
    block = PAGE.split("## Roles")[1].split("```sql\n")[1].split("```")[0]
    suffix = uuid4().hex
    made = re.findall(r"CREATE ROLE (\w+)", block)
    statements = re.sub(r"\b(" + "|".join(made) + r")\b", rf"\1_{suffix}", block)
    try:
        with administrator.connect() as connection:
            connection.execute(text(statements))
        url = make_url(company.url).set(username=f"analyst_{suffix}", password="change me")
        analyst = open_url(url.render_as_string(hide_password=False))
        with analyst.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM baseline")) > 0
            assert connection.scalar(text("SHOW statement_timeout")) == "1min"
            with pytest.raises(DBAPIError, match="read-only transaction"):
                connection.execute(text("CREATE TEMPORARY TABLE mine (x int)"))
        analyst.dispose()
        members = """
            SELECT count(*) FROM pg_auth_members JOIN pg_roles m ON m.oid = member
            WHERE m.rolname LIKE '%%' || :suffix AND roleid::regrole::text LIKE 'monitor_%%'
        """
        with administrator.connect() as connection:
            assert connection.scalar(text(members), {"suffix": suffix}) == 5
    finally:
        with administrator.connect() as connection:
            for name in made:
                connection.execute(text(f"DROP ROLE IF EXISTS {name}_{suffix}"))
