"""The whole, as a team runs it: Keycloak's database and Okta's log are pulled and scored under one scheduler, and a
takeover is told once to each channel."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import keycloaks
import numpy as np
import pandas as pd
import pytest
from companies import number, rows, url_of
from documented import QUERIES, blocks, page, section
from providers import Okta, Provider, serving
from receivers import SECRET, HttpReceiver, Mailbox, http_receiver, smtp_receiver
from sqlalchemy import Engine, text

from monitor.config import isolated_environment
from monitor.jobs.review import review
from monitor.store.engine import writing
from monitor.store.reporting import ask

DAYS = 28
VICTIM, NEWCOMER = "anna@example.com", "new@example.com"
PEOPLE = [VICTIM, *(f"person{number}@example.com" for number in range(24))]
TOKEN = "s3cret"  # what providers.Okta accepts

CONFIGURATION = """
database_url = {database}
detector = "rarity"
alerts_per_day = 0.05
pull_seconds = 0.5
score_seconds = 0.5
notify_seconds = 0.5

[[sources]]
name = "sso"
kind = "keycloak"
url = {keycloak}

[[sources]]
name = "okta"
kind = "okta"
url = {okta}
secret_file = {token}

[[channels]]
name = "soar"
kind = "webhook"
target = {webhook}
secret = {secret}
minimum_severity = "high"
allow_private = true

[[channels]]
name = "soc-mail"
kind = "apprise"
target = {mail}
minimum_severity = "high"
"""


@dataclass
class Company:
    """People who log in to Keycloak with an address alone, and to Okta with all that it tells."""

    keycloak: Engine
    okta: Okta

    def work(self, moments: dict[str, list[datetime]]) -> None:
        """Each of these people logs in to both at these times."""
        logins = sorted((moment, user) for user, times in moments.items() for moment in times)
        keycloaks.add(self.keycloak, *(login(moment, user) for moment, user in logins))
        for moment, user in logins:
            self.okta.sign_in(moment, user=user, client=client(address(user), "Germany", "Berlin", 52.5, 13.4))

    def take_over(self, moment: datetime) -> None:
        """Somebody in Lagos logs in to Okta as the victim."""
        there = client("203.0.113.66", "Nigeria", "Lagos", 6.5, 3.4, "curl/8.5.0")
        self.okta.sign_in(moment, user=VICTIM, client=there, device={"id": "stranger"})


def address(user: str) -> str:
    return f"198.51.100.{[*PEOPLE, NEWCOMER].index(user) + 10}"


def login(moment: datetime, user: str) -> dict[str, Any]:
    """In Keycloak."""
    return keycloaks.event(str(uuid4()), moment, details={"username": user}, user_id=user, ip_address=address(user))


def client(ip: str, country: str, city: str, latitude: float, longitude: float, agent: str = "") -> dict[str, Any]:
    place = {"country": country, "city": city, "geolocation": {"lat": latitude, "lon": longitude}}
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    return {"ipAddress": ip, "geographicalContext": place, "userAgent": {"rawUserAgent": agent or firefox}}


def habits(now: datetime) -> dict[str, list[datetime]]:
    """Everybody logs in once a day, around the time that it is now."""
    rng = np.random.default_rng(6)
    minutes = np.clip(rng.normal(0, 40, (len(PEOPLE), DAYS)), -600, 600)
    days = np.arange(DAYS, 0, -1)
    return {
        user: [now - timedelta(days=int(day), minutes=late) for day, late in zip(days, row, strict=True)]
        for user, row in zip(PEOPLE, minutes, strict=True)
    }


@pytest.fixture
def reader(empty_database: Engine) -> Iterator[str]:
    """Keycloak's database, as the role reaches it that docs/connect.md makes."""
    role = f"monitor_reader_{uuid4().hex}"
    (setup,) = blocks(section(page("connect.md"), "Keycloak"), "sql")
    with writing(empty_database) as connection:
        connection.execute(text(keycloaks.TABLES))
        members = text("INSERT INTO user_entity VALUES (:name, :name, 'r1', :name)")
        connection.execute(members, [{"name": name} for name in [*PEOPLE, NEWCOMER]])
        connection.execute(text(setup.replace("monitor_reader", role)))
    yield empty_database.url.set(username=role, password="…").render_as_string(hide_password=False)
    with writing(empty_database) as connection:
        connection.execute(text(f"DROP OWNED BY {role}; DROP ROLE {role}"))


@pytest.fixture
def company(empty_database: Engine, reader: str) -> Iterator[Company]:
    with serving(Provider()) as provider:
        yield Company(empty_database, Okta(provider, page=500))


@pytest.fixture
def mailbox() -> Iterator[tuple[str, Mailbox]]:
    with smtp_receiver() as receiver:
        yield receiver


@pytest.fixture
def webhook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@contextmanager
def scheduled(environment: dict[str, str], log: Path) -> Iterator[Callable[[Callable[[], object]], None]]:
    """``monitor run``; yields a function that waits until something holds. At the end, SIGTERM."""
    with log.open("w") as errors, subprocess.Popen(command("run"), env=environment, stderr=errors) as process:

        def until(condition: Callable[[], object]) -> None:
            deadline = time.monotonic() + 300
            while not condition():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)

        try:
            yield until
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, log.read_text()
        finally:
            process.kill()


def command(name: str) -> list[str]:
    return [sys.executable, "-m", "monitor", name]


def done_since(database: Engine, moment: datetime, *jobs: str) -> bool:
    query = "SELECT job FROM reporting.job_run WHERE status = 'succeeded' AND started_at > :moment"
    return set(jobs) <= set(rows(database, query, moment=moment)["job"])


def scored(database: Engine) -> dict[str, int]:
    counted = rows(database, "SELECT source, count(*) FROM reporting.login_score GROUP BY source")
    return dict(zip(counted["source"], counted["count"], strict=True))


def told(database: Engine) -> pd.DataFrame:
    return rows(database, "SELECT channel, status, attempts FROM reporting.delivery ORDER BY channel")


def plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def answer(database: Engine, title: str) -> pd.DataFrame:
    with ask(database, QUERIES[title], 60) as (columns, found):
        return pd.DataFrame(list(found), columns=columns)


def test_a_takeover_among_the_logins_of_keycloak_and_okta_is_told_once_and_the_ten_questions_have_answers(
    database: Engine,
    reader: str,
    company: Company,
    webhook: HttpReceiver,
    mailbox: tuple[str, Mailbox],
    tmp_path: Path,
) -> None:
    mail, box = mailbox
    token = tmp_path / "okta"
    token.write_text(TOKEN)
    values = {
        "database": url_of(database),
        "keycloak": reader,
        "okta": company.okta.provider.url,
        "token": str(token),
        "webhook": f"{webhook.url}/hooks/logins",
        "secret": SECRET,
        "mail": mail,
    }
    configuration = tmp_path / "monitor.toml"
    configuration.write_text(CONFIGURATION.format(**{name: json.dumps(value) for name, value in values.items()}))
    environment = isolated_environment(config=str(configuration))
    log = tmp_path / "run.log"

    # The history of both: 25 people, four weeks.
    company.work(habits(datetime.now(UTC)))
    subprocess.run(command("pull"), env=environment, check=True, timeout=300)
    assert number(database, "SELECT count(*) FROM reporting.login_event") == 2 * len(PEOPLE) * DAYS

    with scheduled(environment, log) as until:
        # The first thing that it does is to learn.
        until(lambda: number(database, "SELECT count(*) FROM reporting.threshold") == 1)
        assert scored(database) == {}

        # A day like all the others, with a newcomer; and a stranger in Okta.
        now = datetime.now(UTC)
        company.work({user: [now] for user in PEOPLE[1:5]})
        keycloaks.add(company.keycloak, login(now, NEWCOMER))
        company.take_over(now)
        until(lambda: scored(database) == {"sso": 5, "okta": 5})
        until(lambda: told(database)["status"].tolist() == ["delivered", "delivered"])

    # What was told is remembered: after a restart it goes on with what came in between, and repeats nothing.
    company.work({user: [datetime.now(UTC)] for user in PEOPLE[5:8]})
    with scheduled(environment, log) as until:
        until(lambda: scored(database) == {"sso": 8, "okta": 8})
        seen = datetime.now(UTC)
        jobs = ("pull sso", "pull okta", "score", "notify soar", "notify soc-mail")
        until(lambda: done_since(database, seen, *jobs))
    runs = rows(database, "SELECT job, started_at, status, error FROM reporting.job_run")
    assert (runs["status"] != "failed").all(), runs["error"].tolist()
    assert (runs["job"] == "train").sum() == 1
    assert told(database).to_numpy().tolist() == [["soar", "delivered", 1], ["soc-mail", "delivered", 1]]

    alert = rows(database, "SELECT * FROM reporting.alert WHERE user_name = :user", user=VICTIM).iloc[0]
    assert "irst login from Lagos" in alert["headline"]
    (hook,) = webhook.received
    assert (hook.path, hook.json["type"]) == ("/hooks/logins", "alert.opened")
    assert hook.json["data"]["alert_id"] == str(alert["alert_id"])
    assert hook.json["data"]["headline"] == alert["headline"]
    ((recipients, letter),) = box.mails
    assert recipients == ["soc@corp.example"]
    assert letter["subject"] == f"Login alert, {alert['severity']}: {VICTIM}"
    assert alert["headline"] in plain(letter)

    # Somebody looks into it, and asks.
    review(database, alert["alert_id"], "confirm", "kim", "it was not her", datetime.now(UTC))
    answers = {title: answer(database, title) for title in QUERIES}
    assert len(answers) == 10
    assert [title for title, found in answers.items() if found.empty] == ["Spray campaigns"]
    assert answers["The worst accounts of this week"].loc[0, "user_name"] == VICTIM
    assert answers["Accounts without history"]["user_name"].tolist() == [NEWCOMER]
    assert answers["What does each source tell, and how late"]["source"].tolist() == ["okta", "sso"]
    assert answers["Which reasons prove right"]["confirmed"].sum() == 1
