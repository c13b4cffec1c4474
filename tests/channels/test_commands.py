"""``monitor channels`` as an operator types it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from receivers import SECRET, HttpReceiver, http_receiver
from sqlalchemy import Engine, text

from monitor.cli import cli
from monitor.config import Settings
from monitor.store.engine import writing


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def run(settings: Settings, http: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A runner whose configuration has one webhook, in the working directory."""
    assert settings.database_url is not None
    monkeypatch.setenv("MONITOR_DATABASE_URL", settings.database_url.get_secret_value())
    Path("monitor.toml").write_text(
        f'[[channels]]\nname = "hook"\nkind = "webhook"\ntarget = "{http.url}/geheim"\nsecret = "{SECRET}"\n'
        "allow_private = true\n"
    )
    return CliRunner()


def test_a_test_notice_arrives_or_the_reason_is_one_line(run: CliRunner, http: HttpReceiver) -> None:
    done = run.invoke(cli, ["channels", "test", "hook"])
    assert (done.exit_code, done.output) == (0, "a test arrived through hook\n")
    http.will(500)
    failed = run.invoke(cli, ["channels", "test", "hook"])
    assert (failed.exit_code, failed.output) == (1, "Error: channel 'hook': answered 500\n")
    unknown = run.invoke(cli, ["channels", "test", "nothing"])
    assert (unknown.exit_code, unknown.output) == (1, "Error: no channel is called 'nothing'; there are: hook\n")


def test_dead_notices_are_listed_and_can_be_tried_again(run: CliRunner, database: Engine, http: HttpReceiver) -> None:
    with writing(database) as connection:
        connection.execute(
            text(
                """
                WITH account AS (INSERT INTO monitor.account VALUES (gen_random_uuid(), 'ada', 1, now()) RETURNING *)
                INSERT INTO monitor.alert SELECT gen_random_uuid(), account_id, now(), now(), 4.2, 'high', 'open',
                    'New device', 1, NULL, false, now(), now() FROM account
                """
            )
        )
    http.will(410)
    assert "hook: delivered 0, failed 0, dead 1" in run.invoke(cli, ["channels", "send"]).output
    listed = run.invoke(cli, ["channels", "list"]).output
    assert "answered 410" in listed
    assert "geheim" not in listed
    assert run.invoke(cli, ["channels", "retry", "hook"]).output == "1 notice will be tried again\n"
    assert "hook: delivered 1" in run.invoke(cli, ["channels", "send", "hook"]).output
    assert len(http.received) == 2
