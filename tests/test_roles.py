"""Each process works with its own role alone, whoever is connected; every role's rights are written down here."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from companies import NOW, UNTIL, Trained, trained_company, url_of
from pydantic import SecretStr
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

from monitor.cli import cli
from monitor.config import ChannelSettings, Settings, SourceSettings
from monitor.scheduler import Scheduler, standard_jobs
from monitor.store import jobs, partitions
from monitor.store.engine import DatabaseError, acting, guarded, open_url, reading, writing
from monitor.store.roles import INGEST, REPORTING, SCORER, WEB
from monitor.store.schema import upgrade
from web import create_app

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "sql.md").read_text(encoding="utf-8")

#: Table → role → rights: of s(elect), i(nsert), u(pdate), d(elete); lower case where only some columns. A new table has
#: to be decided on here, and in the migration that makes it.
MEANT = {
    "account": {INGEST: "s I", SCORER: "S D", WEB: "S"},
    "account_day": {},
    "account_state": {SCORER: "S I U D"},
    "alembic_version": {INGEST: "S", SCORER: "S", WEB: "S"},
    "alert": {SCORER: "S I u", WEB: "S u"},
    "alert_event": {SCORER: "S I u", WEB: "S"},
    "assignment": {WEB: "S I u"},
    "audit": {WEB: "S"},
    "comment": {WEB: "S I"},
    "delivery": {SCORER: "S I U D"},
    "erasure": {INGEST: "s"},
    "job_run": {INGEST: "I", SCORER: "S I U D"},
    "lease": {SCORER: "S I U", WEB: "S"},
    "login_event": {INGEST: "s I", SCORER: "S", WEB: "s"},
    "login_score": {SCORER: "S I", WEB: "s"},
    "model": {SCORER: "S I u", WEB: "s"},
    "pseudonym_key": {INGEST: "S I"},
    "population_state": {SCORER: "S I U D"},
    "quarantined_event": {SCORER: "S I D", WEB: "S"},
    "recalibration": {SCORER: "S I", WEB: "S"},
    "rejected_record": {INGEST: "I", SCORER: "S D", WEB: "S"},
    "review": {SCORER: "S", WEB: "S I"},
    "reviewer": {WEB: "S u"},
    "scoped_dismissal": {SCORER: "S", WEB: "S I u"},
    "score_day": {},
    "sign_in_try": {WEB: "S I D"},
    "source_cursor": {INGEST: "S I U"},
    "source_total": {INGEST: "S I U"},
    "threshold": {SCORER: "S I", WEB: "S"},
    "traffic_state": {SCORER: "S I U D"},
    "unscored_event": {INGEST: "I", SCORER: "S D", WEB: "S"},
    "web_secret": {WEB: "S"},
    "web_session": {WEB: "S I u D"},
}
#: What a table's SELECT, INSERT, UPDATE or DELETE may not make possible, by role.
FORBIDDEN = {
    INGEST: [
        "SELECT * FROM monitor.login_event",
        "SELECT user_name FROM monitor.account",
        "SELECT * FROM monitor.login_score",
        "SELECT * FROM reporting.login_score",
        "SELECT * FROM monitor.rejected_record",
        "INSERT INTO monitor.review SELECT * FROM monitor.review",
        "INSERT INTO monitor.threshold (value) VALUES (9)",
        "UPDATE monitor.login_event SET outcome = 'success'",
        "DELETE FROM monitor.unscored_event",
        "UPDATE monitor.lease SET expires_at = now()",
        "SELECT monitor.drop_month('2020-01-01Z')",
        "SELECT monitor.audit_append('a', 'b', 'c', '{}', 'd')",
        "CREATE TABLE monitor.mine (x int)",
    ],
    SCORER: [
        "INSERT INTO monitor.review (review_id) VALUES (gen_random_uuid())",
        "UPDATE monitor.review SET verdict = 'dismiss'",
        "UPDATE monitor.alert SET status = 'dismissed'",
        "DELETE FROM monitor.alert",
        "UPDATE monitor.login_score SET score = 0",
        "UPDATE monitor.threshold SET value = 9",
        "UPDATE monitor.model SET weights = ''",
        "INSERT INTO monitor.login_event (source) VALUES ('x')",
        "DELETE FROM monitor.login_event",
        "SELECT * FROM monitor.reviewer",
        "INSERT INTO monitor.reviewer (name) VALUES ('eve')",
        "SELECT * FROM monitor.web_session",
        "SELECT * FROM monitor.audit",
        "UPDATE monitor.audit SET actor = 'eve'",
        "SELECT monitor.audit_append('a', 'b', 'c', '{}', 'd')",
        "UPDATE monitor.account_day SET risk = 0",
        "SELECT monitor.ensure_month(now())",
        "DROP TABLE monitor.login_event",
        "CREATE TABLE monitor.mine (x int)",
    ],
    WEB: [
        "INSERT INTO monitor.login_score (source) VALUES ('x')",
        "INSERT INTO monitor.threshold (value) VALUES (9)",
        "UPDATE monitor.model SET status = 'retired'",
        "UPDATE monitor.lease SET expires_at = now()",
        "SELECT * FROM monitor.account_state",
        "SELECT monitor.drop_month('2020-01-01Z')",
        "SELECT monitor.ensure_month(now())",
    ],
    REPORTING: [
        "SELECT * FROM monitor.login_event",
        "SELECT * FROM monitor.alembic_version",
        "DELETE FROM reporting.review",
        "INSERT INTO reporting.review (alert_id) VALUES (gen_random_uuid())",
        "UPDATE reporting.threshold SET value = 9",
        "CREATE TABLE reporting.mine (x int)",
        "SELECT monitor.ensure_month(now())",
        "SELECT monitor.audit_append('a', 'b', 'c', '{}', 'd')",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/mine'",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
    ],
}  # fmt: skip


def execute(engine: Engine, *statements: str) -> None:
    with writing(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_every_role_has_the_rights_that_are_meant_on_every_table(database: Engine) -> None:
    query = """
        SELECT relname, rolname, string_agg(CASE WHEN whole THEN upper(left(rights, 1)) ELSE lower(left(rights, 1)) END,
                                            ' ' ORDER BY n)
        FROM pg_class
        CROSS JOIN pg_roles
        CROSS JOIN LATERAL (
            SELECT n, rights, has_table_privilege(rolname, pg_class.oid, rights) AS whole
            FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
                WITH ORDINALITY AS r (rights, n)
            WHERE has_table_privilege(rolname, pg_class.oid, rights)
               OR (n IN (1, 2, 3, 6) AND has_any_column_privilege(rolname, pg_class.oid, rights))
        ) held
        WHERE relnamespace = 'monitor'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
          AND rolname IN ('monitor_ingest', 'monitor_scorer', 'monitor_web', 'monitor_reporting')
        GROUP BY relname, rolname
    """
    tables = """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'monitor'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    """
    with reading(database) as connection:
        found: dict[str, dict[str, str]] = {name: {} for name in connection.scalars(text(tables))}
        for table, role, rights in connection.execute(text(query)):
            found[table][role] = rights
    assert found == MEANT


def test_every_role_may_execute_the_functions_that_it_is_meant_to(database: Engine) -> None:
    query = """
        SELECT rolname, array_agg(DISTINCT proname::text) FROM pg_proc CROSS JOIN pg_roles
        WHERE pronamespace IN ('monitor'::regnamespace, 'reporting'::regnamespace)
          AND rolname IN ('monitor_ingest', 'monitor_scorer', 'monitor_web', 'monitor_reporting')
          AND has_function_privilege(rolname, pg_proc.oid, 'EXECUTE')
        GROUP BY rolname
    """
    with reading(database) as connection:
        assert dict(connection.execute(text(query)).all()) == {
            INGEST: ["ensure_month"],
            SCORER: ["drop_month", "threshold_rollback"],
            WEB: ["audit_append", "audit_breaks", "audit_hash", "threshold_rollback"],
            REPORTING: ["answer"],
        }


def test_what_runs_with_the_owners_rights_has_a_fixed_search_path(database: Engine) -> None:
    query = """
        SELECT proname FROM pg_proc
        WHERE pronamespace IN ('monitor'::regnamespace, 'reporting'::regnamespace) AND prosecdef
          AND NOT coalesce(proconfig::text LIKE '%%search_path=%%pg_temp%%', false)
    """
    with reading(database) as connection:
        assert connection.scalars(text(query)).all() == []


@pytest.mark.parametrize("role", FORBIDDEN)
def test_a_role_may_not_do_what_others_are_for(role: str, database: Engine) -> None:
    for forbidden in FORBIDDEN[role]:
        with pytest.raises(DBAPIError, match=r"permission denied|must be (owner|superuser)"):
            execute(acting(database, role), forbidden)


def test_a_month_that_is_not_over_cannot_be_dropped(database: Engine) -> None:
    with pytest.raises(DBAPIError, match="is not over"), writing(acting(database, SCORER)) as connection:
        partitions.drop_month(connection, datetime.now(UTC))


def test_only_who_loads_and_scores_may_make_temporary_tables(empty_database: Engine) -> None:
    upgrade(empty_database)  # rights on a database are not copied with a template
    for role, may in ((INGEST, True), (SCORER, True), (WEB, False), (REPORTING, False)):
        try:
            execute(acting(empty_database, role), "CREATE TEMPORARY TABLE mine (x int) ON COMMIT DROP")
            made = True
        except DBAPIError as error:
            assert "permission denied" in str(error)
            made = False
        assert made == may, role


Logins = Callable[[str], str]


@pytest.fixture(scope="module")
def trained(make_database: Callable[[str], str], template: str) -> Trained:
    return trained_company(make_database(template))


@pytest.fixture
def company(trained: Trained, make_database: Callable[[str], str]) -> Iterator[Engine]:
    engine = open_url(make_database(trained.database))
    yield engine
    engine.dispose()


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
