"""One person is forgotten everywhere, at once, whatever else runs; and nobody else is."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pandas as pd
import pytest
from click.testing import CliRunner
from companies import NOW, number, rows, settings_for, url_of
from scheduling import wait_until
from sqlalchemy import Engine, text

from monitor.cli import cli
from monitor.events import account_id, validate
from monitor.jobs import score
from monitor.jobs.forget import ForgetError, forget
from monitor.jobs.review import comment, review
from monitor.store import audit, tables
from monitor.store.engine import reading, writing
from monitor.store.events import add_events, add_rejects

AT = NOW + timedelta(days=1)


def events_of(user: str, *moments: datetime, **columns: str) -> pd.DataFrame:
    records = pd.DataFrame({"occurred_at": [moment.isoformat() for moment in moments], "user": user, **columns})
    return validate(records, "late").events


def store(engine: Engine, events: pd.DataFrame) -> int:
    with writing(engine) as connection:
        return add_events(connection, events, NOW)


def mentions(engine: Engine, *words: str) -> dict[str, int]:
    """Rows that hold one of the words in any column, by table."""
    found = {}
    with reading(engine) as connection:
        for table in tables.metadata.sorted_tables:
            query = text(f"SELECT t::text FROM monitor.{table.name} t")
            count = sum(any(word in row for word in words) for row in connection.scalars(query))
            if count:
                found[table.name] = count
    return found


@pytest.fixture
def worst(company: Engine) -> str:
    """The user of the worst alert in a scored company: judged, talked about, told, and in every other table."""
    score.run(company, settings_for(company), NOW)
    user, alert = rows(company, "SELECT user_name, alert_id FROM reporting.alert ORDER BY score DESC LIMIT 1").iloc[0]
    other = rows(company, "SELECT alert_id FROM reporting.alert WHERE user_name <> :u LIMIT 1", u=user).iloc[0, 0]
    review(company, str(alert), "dismiss", "rita", f"{user} travels", NOW)
    review(company, str(other), "confirm", "rita", f"Like {user.upper()}, and unlike x{user}", NOW)
    comment(company, account_id("1"), other, "rita", f"see {user}", "192.0.2.1", NOW)
    with writing(company) as connection:
        for number_, record in enumerate((f'{{"user": "{user}"}}', f"{user}2,never", "nobody,never")):
            rejects = pd.DataFrame({"line": [number_], "reason": ["bad"], "record": [record]})
            add_rejects(connection, "company", rejects, NOW)
        for statement in (
            "INSERT INTO monitor.unscored_event SELECT * FROM monitor.alert_key",
            "INSERT INTO monitor.quarantined_event SELECT *, 'bad', now() FROM monitor.alert_key",
        ):
            keys = "SELECT account_id, source, event_id, occurred_at FROM monitor.alert_event WHERE alert_id = :alert"
            connection.execute(text(statement.replace("monitor.alert_key", f"({keys}) AS k")), {"alert": alert})
    return str(user)


def test_nothing_of_the_person_is_left_but_what_the_receipt_tells(company: Engine, worst: str) -> None:
    account = account_id(worst)
    receipt = forget(company, worst, AT)
    assert mentions(company, worst) == {"rejected_record": 1, "review": 1}  # longer names, of other people
    assert mentions(company, str(account)) == {"audit": 1, "erasure": 1}
    assert receipt.counts["rejected_record"] == 1
    assert receipt.counts["review"] == 2
    assert {"account", "login_event", "login_score", "account_state", "alert", "alert_event", "comment",
            "unscored_event", "quarantined_event", "population_state"} <= receipt.counts.keys()  # fmt: skip
    stored = rows(company, "SELECT * FROM reporting.erasure").iloc[0]
    assert (stored["erasure_id"], stored["account_id"]) == (receipt.erasure_id, account)
    assert (stored["counts"], stored["kept"]) == (receipt.counts, receipt.kept)
    with reading(company) as connection:
        assert audit.breaks(connection) == []
        (newest,) = audit.entries(connection, 1)
    assert (newest.action, newest.subject) == ("forget", str(account))


def test_everybody_else_keeps_everything(company: Engine, worst: str) -> None:
    def others() -> dict[str, float]:
        return {
            table.name: number(company, f"SELECT count(*) FROM monitor.{table.name} WHERE account_id <> :a", a=account)
            for table in tables.metadata.sorted_tables
            if "account_id" in table.c and table.name != "erasure"
        }

    account = account_id(worst)
    before = others()
    forget(company, worst, AT)
    assert others() == before
    note = rows(company, "SELECT note FROM reporting.review WHERE verdict = 'confirm'").iloc[0, 0]
    assert note == f"Like (forgotten), and unlike x{worst}"
    assert rows(company, "SELECT body FROM reporting.comment").iloc[0, 0] == "see (forgotten)"


def test_values_that_others_share_stay_in_the_population(company: Engine, worst: str) -> None:
    own = """
        SELECT count(*) FROM monitor.population_state p
        WHERE feature = 'device' AND value = ANY(:values)
    """
    devices = rows(
        company, "SELECT value FROM reporting.baseline WHERE user_name = :u AND feature = 'device'", u=worst
    )["value"].tolist()
    countries = number(company, "SELECT count(*) FROM monitor.population_state WHERE feature = 'country'")
    assert number(company, own, values=devices) > 0
    forget(company, worst, AT)
    assert number(company, own, values=devices) == 0
    assert number(company, "SELECT count(*) FROM monitor.population_state WHERE feature = 'country'") >= countries - 1


def test_twice_is_once_and_a_stranger_is_said_to_be_one(company: Engine, worst: str) -> None:
    first = forget(company, worst, AT)
    second = forget(company, worst, AT + timedelta(hours=1))
    assert (second.counts, second.before) == ({}, [first.forgotten_at])
    with pytest.raises(ForgetError, match="nothing is stored about 'nobody@x'"):
        forget(company, "nobody@x", AT)
    with pytest.raises(ForgetError, match="NUL"):
        forget(company, "a\0b", AT)


def test_a_rehearsal_tells_the_same_and_changes_nothing(company: Engine, worst: str) -> None:
    before = mentions(company, worst, str(account_id(worst)))
    rehearsed = forget(company, worst, AT, rehearse=True)
    assert mentions(company, worst, str(account_id(worst))) == before
    assert forget(company, worst, AT).counts == rehearsed.counts


def test_an_old_file_does_not_bring_the_person_back_but_a_later_login_does(company: Engine, worst: str) -> None:
    forget(company, worst, AT)
    old, new = events_of(worst, NOW, AT), events_of(worst, AT + timedelta(hours=1))
    others = events_of("new@corp.example", NOW)
    assert store(company, pd.concat([old, others], ignore_index=True)) == 1
    assert number(company, "SELECT count(*) FROM monitor.account WHERE user_name = :u", u=worst) == 0
    assert store(company, new) == 1
    assert number(company, "SELECT count(*) FROM reporting.login_event WHERE user_name = :u", u=worst) == 1
    assert "login_event" in forget(company, worst, AT + timedelta(days=1)).counts


def test_a_load_that_is_about_to_commit_is_waited_for_and_one_that_begins_later_brings_nothing_back(
    database: Engine,
) -> None:
    store(database, events_of("ada", NOW))
    stored, release = Event(), Event()

    def load_slowly() -> None:
        with writing(database) as connection:
            add_events(connection, events_of("ada", NOW + timedelta(minutes=1)), NOW)
            stored.set()
            assert release.wait(20)

    def waiting() -> float:
        return number(database, "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                                "WHERE NOT granted AND datname = current_database()")  # fmt: skip

    with ThreadPoolExecutor(3) as pool:
        slow = pool.submit(load_slowly)
        assert stored.wait(20)
        forgetting = pool.submit(forget, database, "ada", AT)
        wait_until(lambda: waiting() >= 1)
        late = pool.submit(store, database, events_of("ada", NOW + timedelta(minutes=2)))
        wait_until(lambda: waiting() >= 2)
        release.set()
        slow.result(20)
        assert forgetting.result(20).counts["login_event"] == 2
        assert late.result(20) == 0
    assert mentions(database, "ada") == {}


def test_somebody_is_forgotten_while_scoring_runs(company: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score, "BATCH", 100)
    user = rows(company, "SELECT user_name FROM reporting.login_event GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").iloc[
        0, 0
    ]
    with ThreadPoolExecutor(2) as pool:
        scoring = pool.submit(score.score, company, settings_for(company), NOW)
        wait_until(lambda: number(company, "SELECT count(*) FROM monitor.login_score") > 0)
        receipt = pool.submit(forget, company, user, AT).result(60)
        assert scoring.result(60)["quarantined"] == 0
    assert receipt.counts["login_event"] > 0
    assert mentions(company, user) == {}
    assert number(company, "SELECT count(*) FROM monitor.unscored_event") == 0


def test_the_audit_log_keeps_no_note_but_its_digest_and_the_receipt_counts_what_older_rows_say(
    company: Engine, worst: str
) -> None:
    assert "audit" not in mentions(company, worst)
    with writing(company) as connection:
        audit.record(connection, "rita", "confirm", "an alert", {"note": f"it is {worst}"}, "192.0.2.1")
    assert forget(company, worst, AT).kept == {"audit": 1}


def test_the_command_prints_a_receipt(company: Engine, worst: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", url_of(company))
    rehearsed = CliRunner().invoke(cli, ["forget", worst, "--dry-run"])
    assert rehearsed.output.startswith("would erase  account 1, ")
    told = json.loads(CliRunner().invoke(cli, ["forget", worst, "--json"]).stdout)
    assert told["account_id"] == str(account_id(worst))
    again = CliRunner().invoke(cli, ["forget", worst])
    assert "forgotten before, at " in again.output
    assert "nothing was left" in again.output
    assert CliRunner().invoke(cli, ["forget", "stranger"]).exit_code == 1
