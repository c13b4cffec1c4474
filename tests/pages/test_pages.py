"""What the pages and their exports show; nothing hostile gets its way."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from browsing import Get, add_people, sign_in
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from staged import ADA, BOB, COMBINING, HOSTILE_USER, LONG, RIGHT_TO_LEFT, WEIGHED, XSS, account_of, alert_of, rows

from monitor.config import Settings
from monitor.store.dossier import alert_events
from monitor.store.engine import reading, writing
from web import create_app
from web.export import cell
from web.shown import one_in

pytestmark = pytest.mark.usefixtures("clean")


@pytest.mark.parametrize("path", ["/", f"/alerts/{alert_of(HOSTILE_USER)}", f"/accounts/{account_of(HOSTILE_USER)}"])
def test_hostile_values_are_escaped_and_cut_and_lose_their_direction(path: str, browser: Get) -> None:
    visitor = browser("ron")
    visitor.post(f"/alerts/{alert_of(HOSTILE_USER)}/comment", body=XSS + RIGHT_TO_LEFT, act=uuid4())
    page = visitor.get(path).text
    assert "<script>document" not in page and "<img" not in page and str(7777 * 7777) not in page
    assert "\u202e" not in page and "\u2066" not in page
    assert LONG[:500] not in page and COMBINING[:400] not in page
    assert len(page) < 150_000


@pytest.mark.parametrize("body", ["", "  ", "x" * 4_001, "a\0b"])
def test_a_comment_that_cannot_be_stored_is_a_clear_page(body: str, browser: Get, store: Engine) -> None:
    response = browser("ron").post(f"/alerts/{ADA}/comment", body=body, act=uuid4())
    assert response.status_code == 400
    assert rows(store, "SELECT * FROM monitor.comment") == []


def test_a_form_too_large_is_a_clear_page(browser: Get) -> None:
    response = browser("ron").post(f"/alerts/{ADA}/comment", body="x" * 300_000, act=uuid4())
    assert response.status_code == 413
    assert "That is too much" in response.text


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1"])
def test_no_exported_text_is_a_formula(value: str) -> None:
    assert str(cell(value)).startswith("'")


def test_exports_keep_numbers_and_plain_texts_as_they_are(browser: Get) -> None:
    assert [cell(value) for value in (-1.5, 3, True, None, "ada", "a=b")] == [-1.5, 3, True, None, "ada", "a=b"]
    visitor = browser("alma")
    hostile = [
        row for row in csv.DictReader(io.StringIO(visitor.get("/alerts.csv").text)) if "calc" in row["user_name"]
    ]
    assert hostile[0]["user_name"].startswith("'=cmd")
    account = f"/accounts/{account_of(HOSTILE_USER)}"
    lists = [f"{account}/{name}" for name in ("logins", "baseline", "risk")]
    lists += [f"/alerts/{alert_of(HOSTILE_USER)}/logins", "/thresholds", "/precision", "/models", "/scores", "/drift"]
    for path in (*lists, "/runs", "/audit"):
        assert json.loads(visitor.get(f"{path}.json").text) is not None
        assert visitor.get(f"{path}.csv").headers["Content-Disposition"].startswith("attachment")


def test_the_logins_in_an_accounts_picture_are_listed_page_by_page(
    browser: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, visitor = f"/accounts/{account_of('ada@corp.example')}", browser("vera")
    page = visitor.get(path).text
    assert f'href="{path}/logins"' in page
    count = int(re.findall(r"(\d+) logins by day and hour, [1-9]\d* of them odd and ringed", page)[0])
    monkeypatch.setattr("web.account.PAGE", 30)
    listed = [re.findall('<tr.*?<time datetime="(.*?)"', visitor.get(f"{path}/logins?page={n}").text) for n in (1, 2)]
    assert [len(times) for times in listed] == [30, count - 30]
    assert [*listed[0], *listed[1]] == sorted({*listed[0], *listed[1]}, reverse=True)


def test_the_alert_page_shows_what_happened_beside_what_is_usual(browser: Get) -> None:
    page = browser("vera").get(f"/alerts/{ADA}").text
    for part in ("DE 75 %, FR 25 %", "Logins over 60 days", "41 logins by day and hour, 1 of them odd and ringed",
                 "Distance from the most frequent place", "Oddness of the last 16 logins"):  # fmt: skip
        assert part in page
    assert "Confirm attack" not in page  # a viewer looks on
    assert "followed" not in page


def test_the_alert_page_lists_apart_what_followed_more_quietly(browser: Get, store: Engine) -> None:
    with writing(store) as connection:
        copy = """
            INSERT INTO monitor.alert_event (account_id, source, event_id, occurred_at, alert_id, score, event,
                attribution, follows)
            SELECT account_id, source, 'quiet', occurred_at + interval '1 day', alert_id, 9, event, '[]', true
            FROM monitor.alert_event WHERE alert_id = :alert
            """
        connection.execute(text(copy), {"alert": BOB})
    page = browser("vera").get(f"/alerts/{BOB}").text
    for part in ("1 login, 1 more followed", "What followed", "The 1 that came later", "DE 75 %, FR 25 %"):
        assert part in " ".join(page.split())
    assert [row["event_id"] for row in browser("vera").get(f"/alerts/{BOB}/logins.json").json] == ["odd"]


def test_an_alert_is_explained_by_its_oddest_login_and_its_export_by_all(browser: Get, store: Engine) -> None:
    copy = """
        INSERT INTO monitor.alert_event (account_id, source, event_id, occurred_at, alert_id, score, event, attribution)
        SELECT account_id, source, 'second', occurred_at, alert_id, score / 2, event, attribution
        FROM monitor.alert_event WHERE alert_id = :alert
        """
    with writing(store) as connection:
        connection.execute(text(copy), {"alert": ADA})
    with reading(store) as connection:
        assert [row.attribution is None for row in alert_events(connection, ADA)] == [False, True]
    exported = browser("vera").get(f"/alerts/{ADA}/logins.json").json
    assert [len(row["attribution"]) > 0 for row in exported] == [True, True]
    with writing(store) as connection:
        connection.execute(text("DELETE FROM monitor.alert_event WHERE event_id = 'second'"))


@pytest.mark.parametrize(
    ("score", "said"),
    [(0.3, "about one in 2"), (3.0, "about one in 1,000"), (7.28, "about one in 20,000,000"),
     (9.1, "fewer than one in a billion")],
)  # fmt: skip
def test_a_score_is_said_as_a_share_no_more_exactly_than_it_is_known(score: float, said: str) -> None:
    assert one_in(score) == said


def test_the_audit_page_tells_a_broken_chain(browser: Get, store: Engine) -> None:
    visitor = browser("alma")
    visitor.post(f"/alerts/{ADA}/comment", body="odd", act=uuid4())
    assert "The chain of hashes holds for the rows shown" in visitor.get("/audit").text
    assert "is whole, from the first row to the last" in visitor.get("/audit?whole=yes").text
    with store.begin() as connection:
        connection.execute(text("UPDATE monitor.audit SET actor = 'eve' WHERE audit_id = 1"))
    assert "The chain is broken" in visitor.get("/audit").text
    with store.begin() as connection:
        connection.execute(text("UPDATE monitor.audit SET actor = 'train' WHERE audit_id = 1"))


def test_a_cookie_used_again_after_signing_out_is_refused(browser: Get) -> None:
    visitor = browser("ron")
    cookie = visitor.client.get_cookie("monitor")
    assert cookie is not None
    visitor.post("/sign-out")
    visitor.client.set_cookie("monitor", cookie.value)
    assert visitor.get("/").status_code == 303


def test_pages_of_an_empty_monitor_say_what_is_missing(database: Engine, tmp_path: Any) -> None:
    now = datetime.now(UTC)
    app = create_app(
        Settings(database_url=SecretStr(database.url.render_as_string(hide_password=False)), data_dir=tmp_path)
    )
    with writing(database) as connection:
        add_people(connection, now)
        client = app.test_client()
        sign_in(connection, client, "alma", now)
    for path, says in (("/", "No open alerts"), ("/model", "monitor train"), ("/thresholds", "No threshold yet"),
                       ("/status", "none yet"), ("/audit", "Nothing matches")):  # fmt: skip
        response = client.get(path)
        assert response.status_code == 200
        assert says in response.text
    app.extensions["monitor"].dispose()


def test_an_admin_returns_to_an_earlier_threshold_which_is_held_and_written_down(browser: Get, store: Engine) -> None:
    (first, value), (latest, _) = rows(store, "SELECT threshold_id, value FROM monitor.threshold ORDER BY 1 LIMIT 2")
    assert f"Return to {first}" not in browser("ron").get("/thresholds").text
    page = browser("alma").get("/thresholds").text
    assert f"Return to {first}" in page
    assert f"Return to {latest}" not in page
    assert browser("ron").post(f"/thresholds/{first}/rollback").status_code == 403
    assert browser("alma").post("/thresholds/999999/rollback").status_code == 404
    answer = browser("alma").post(f"/thresholds/{first}/rollback")
    assert (answer.status_code, answer.location) == (303, "/thresholds")
    made = rows(
        store,
        "SELECT value, decided_by, returns_to, held_until > now() + interval '6 days' FROM monitor.threshold "
        "ORDER BY threshold_id DESC LIMIT 1",
    )
    assert made == [(value, "alma", first, True)]
    acts = rows(store, "SELECT actor, action FROM monitor.audit ORDER BY audit_id DESC LIMIT 2")
    assert acts == [("alma", "rollback"), ("alma", "threshold")]
    assert "Set by hand" in browser("vera").get("/thresholds").text


def test_the_thresholds_page_shows_the_next_proposal_and_which_verdicts_it_would_flip(browser: Get) -> None:
    page = browser("vera").get("/thresholds").text
    assert "Next proposal: 3.47" in page
    assert "11.5 alerts a day are expected, of which 42" in page
    assert "It is not in force: <bdi>set by hand</bdi>." in page
    assert f"/alerts/{WEIGHED['dismissed_that_would_not_alert_first']}" in page
    assert "0 confirmed would not alert" in page


@pytest.mark.parametrize("asked", ["3.15", "1e9", "nan", "text", "-1"])
def test_the_thresholds_page_says_what_another_threshold_would_do(asked: str, browser: Get) -> None:
    page = browser("vera").get(f"/thresholds?what={asked}")
    assert page.status_code == 200
    assert ("accounts a day would have alerted" in page.text) == (asked in ("3.15", "1e9", "-1"))


def test_the_pages_may_not_write_a_threshold_themselves(store: Engine) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), writing(store) as connection:
        connection.execute(text("SET LOCAL ROLE monitor_web"))
        connection.execute(text("UPDATE monitor.threshold SET value = 9"))
