"""What reviewers do on the pages, and what the database shows of it; nothing hostile gets its way."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from browsing import Browser, add_people, sign_in
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from staged import (
    ALERTS,
    CAMPAIGN,
    COMBINING,
    HOSTILE_USER,
    LONG,
    RIGHT_TO_LEFT,
    XSS,
    account_of,
    alert_of,
)  # fmt: skip

from monitor.config import Settings
from monitor.store.engine import reading, writing
from web import create_app
from web.export import cell

pytestmark = pytest.mark.usefixtures("clean")
ADA, BOB = alert_of("ada@corp.example"), alert_of("bob@corp.example")

#: Of the campaign, all but the worst.
LESSER = {"spray2@corp.example", "spray3@corp.example"}
SPRAYED = [alert_of(f"spray{number}@corp.example") for number in (1, 2, 3)]

Get = Callable[[str | None], Browser]


def members(page: str, campaign: object = CAMPAIGN) -> str:
    """What a form says of the campaign that was seen."""
    found = re.search(f'name="seen-{campaign}" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def rows(engine: Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def status(engine: Engine, alert: object) -> str:
    return str(rows(engine, "SELECT status FROM monitor.alert WHERE alert_id = :id", id=alert)[0][0])


def test_the_queue_lists_open_alerts_by_score_with_their_reasons_and_a_campaign_once(browser: Get) -> None:
    page = browser("vera").get("/").text
    places = [page.index(f"/alerts/{alert_of(user)}") for user in ALERTS if user not in LESSER]
    assert places == sorted(places)
    assert not any(str(alert_of(user)) in page for user in LESSER)
    assert "campaign of 3 alerts" in page
    assert "carol@corp.example" in page and "thin history" in page
    assert page.count('<span class="reason">country</span>') == len(ALERTS) - len(LESSER)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("severity=medium", {"carol@corp.example"}),
        ("account=ADA", {"ada@corp.example"}),
        ("account=%25", set()),
        (f"campaign={CAMPAIGN}", {"spray1@corp.example", "spray2@corp.example", "spray3@corp.example"}),
        ("reason=travel", set()),
        ("reason=device", set(ALERTS)),
        ("status=dismissed", set()),
        ("status=all", set(ALERTS)),
        ("since=2025-10-31", set()),
        ("until=2025-10-29", set()),
        ("since=2025-10-30&until=2025-10-30", set(ALERTS)),
        ("assignee=nobody", set(ALERTS)),
        ("assignee=ron", set()),
    ],
)
def test_the_queue_is_filtered_on_the_page_and_in_both_exports_alike(query: str, shown: set[str], browser: Get) -> None:
    visitor = browser("vera")
    page = visitor.get(f"/?{query}").text
    folded = (
        set()
        if any(word in query for word in ("account", "campaign", "reason", "since", "until", "assignee"))
        else LESSER
    )
    assert {user for user in ALERTS if f"/alerts/{alert_of(user)}" in page} == shown - folded
    assert {row["user_name"] for row in visitor.get(f"/alerts.json?{query}").json or []} == shown
    assert len(list(csv.reader(io.StringIO(visitor.get(f"/alerts.csv?{query}").text)))) == len(shown) + 1


def test_a_verdict_is_stored_and_the_next_alert_opens(browser: Get, store: Engine) -> None:
    visitor = browser("ron")
    response = visitor.post(
        f"/alerts/{ADA}/verdict", verdict="confirm", reason="compromised", note="phished", act=uuid4(), seen=""
    )
    assert (response.status_code, response.location) == (303, f"/alerts/{BOB}")
    assert rows(store, "SELECT alert_id, verdict, reviewer, reason, note FROM monitor.review") == [
        (ADA, "confirm", "ron", "compromised", "phished")
    ]
    assert status(store, ADA) == "confirmed"
    assert "Alert confirmed" in visitor.get(response.location).text
    last = rows(store, "SELECT actor, action, subject FROM monitor.audit ORDER BY audit_id DESC LIMIT 1")
    assert last == [("ron", "confirm", str(ADA))]


def test_the_next_alert_is_of_the_same_filtered_queue(browser: Get) -> None:
    visitor, sprayed = browser("ron"), [alert_of(f"spray{number}@corp.example") for number in (1, 2, 3)]
    for alert, following in zip(sprayed, [*sprayed[1:], None], strict=True):
        answer = visitor.post(f"/alerts/{alert}/verdict", verdict="dismiss", queue=f"campaign={CAMPAIGN}", act=uuid4())
        assert answer.location.startswith(f"/alerts/{following}" if following else "/?campaign=")


def test_a_dismissal_vouches_for_a_value_until_a_day_and_undo_withdraws_it(browser: Get, store: Engine) -> None:
    visitor, until = browser("ron"), datetime.now(UTC).date() + timedelta(days=10)
    form = {"verdict": "dismiss", "reason": "vpn", "scope": "asn:0", "until": f"{until}"}
    visitor.post(f"/alerts/{ADA}/verdict", **form, act=uuid4())
    query = "SELECT account_id, feature, value, reviewer, valid_until::date, withdrawn_at FROM monitor.scoped_dismissal"
    account = account_of("ada@corp.example")
    assert rows(store, query) == [(account, "asn", "5002", "ron", until + timedelta(days=1), None)]
    assert "vouches for network (AS)" in visitor.get(f"/alerts/{ADA}").text
    (seen,) = rows(store, "SELECT review_id FROM monitor.review")[0]
    answer = visitor.post(f"/alerts/{ADA}/verdict", verdict="undo", seen=seen, act=uuid4())
    assert answer.location == f"/alerts/{ADA}"
    assert rows(store, query)[0][-1] is not None
    assert status(store, ADA) == "open"


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"verdict": "maybe"}, "is no verdict"),
        ({"verdict": "confirm", "reason": "travel"}, "is no reason to confirm"),
        ({"verdict": "dismiss", "scope": "asn:7", "until": "2099-01-01"}, "from the list"),
        ({"verdict": "dismiss", "scope": "mood:0", "until": "2099-01-01"}, "from the list"),
        ({"verdict": "dismiss", "scope": "asn:0", "until": ""}, "until when"),
        ({"verdict": "dismiss", "scope": "asn:0", "until": "2099-01-01"}, "a year at most"),
        ({"verdict": "dismiss", "scope": "asn:0", "until": "2020-01-01"}, "lies ahead"),
        ({"verdict": "dismiss", "note": "x" * 4_001}, "longer than 4,000"),
        ({"verdict": "undo"}, "no verdict to undo"),
    ],
)
def test_a_verdict_that_cannot_be_taken_says_why_and_keeps_what_was_typed(
    form: dict[str, str], says: str, browser: Get, store: Engine
) -> None:
    response = browser("ron").post(f"/alerts/{ADA}/verdict", **{"note": "typed"} | form, act=uuid4())
    assert response.status_code == 400
    assert says in response.text
    assert ("typed" in response.text) == ("note" not in form)
    assert rows(store, "SELECT * FROM monitor.review") == []


def test_a_verdict_on_an_unknown_alert_is_a_clear_page(browser: Get) -> None:
    response = browser("ron").post(f"/alerts/{uuid4()}/verdict", verdict="confirm", act=uuid4())
    assert response.status_code == 404


def test_the_same_form_twice_is_one_verdict_one_comment_and_one_trace(browser: Get, store: Engine) -> None:
    visitor, act = browser("ron"), uuid4()
    for _ in range(2):
        assert visitor.post(f"/alerts/{ADA}/verdict", verdict="confirm", act=act).status_code == 303
        assert visitor.post(f"/alerts/{ADA}/comment", body="so odd", act=act).status_code == 303
    assert len(rows(store, "SELECT * FROM monitor.review")) == 1
    assert len(rows(store, "SELECT * FROM monitor.comment")) == 1
    assert len(rows(store, "SELECT * FROM monitor.audit WHERE subject = :id AND details->>'comment' = :act",
                    id=str(ADA), act=str(act))) == 1  # fmt: skip


def test_the_second_of_two_reviewers_is_told_and_overwrites_nothing(browser: Get, store: Engine) -> None:
    first, second = browser("ron"), browser("rita")
    assert first.post(f"/alerts/{ADA}/verdict", verdict="confirm", act=uuid4(), seen="").status_code == 303
    told = second.post(f"/alerts/{ADA}/verdict", verdict="dismiss", act=uuid4(), seen="", note="mine")
    assert told.status_code == 409
    assert "ron judged this alert. Your verdict was not taken" in told.text
    assert status(store, ADA) == "confirmed"


@pytest.mark.parametrize("path", ["/", f"/?campaign={CAMPAIGN}"])
def test_one_verdict_judges_a_whole_campaign_once(path: str, browser: Get, store: Engine) -> None:
    visitor = browser("ron")
    seen = members(visitor.get(path).text)
    form = {"campaign": CAMPAIGN, f"seen-{CAMPAIGN}": seen, "verdict": "confirm", "reason": "attempt", "act": uuid4()}
    for _ in range(2):
        answer = visitor.post("/verdicts", **form, query=f"campaign={CAMPAIGN}")
        assert answer.location == f"/?campaign={CAMPAIGN}"
    assert [status(store, alert) for alert in SPRAYED] == ["confirmed"] * 3
    assert len(rows(store, "SELECT * FROM monitor.review")) == 3
    assert "3 alerts confirmed" in visitor.get(answer.location).text


@pytest.mark.parametrize("changed", ["judged by another", "joined by another", "said nothing"])
def test_a_campaign_that_changed_since_it_was_seen_is_not_judged_unseen(
    changed: str, browser: Get, store: Engine
) -> None:
    visitor = browser("ron")
    seen = members(visitor.get("/").text)
    if changed == "judged by another":
        browser("rita").post(f"/alerts/{SPRAYED[0]}/verdict", verdict="dismiss", act=uuid4())
    elif changed == "joined by another":
        change(store, "UPDATE monitor.alert SET campaign_id = :campaign WHERE alert_id = :alert")
    else:
        seen = ""
    visitor.post("/verdicts", **{"campaign": CAMPAIGN, f"seen-{CAMPAIGN}": seen}, verdict="confirm", act=uuid4())
    assert "This campaign has changed since you looked" in visitor.get("/").text
    assert [status(store, alert) for alert in SPRAYED[1:]] == ["open", "open"]
    change(store, "UPDATE monitor.alert SET campaign_id = NULL WHERE alert_id = :alert AND campaign_id = :campaign")


def change(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), {"campaign": CAMPAIGN, "alert": ADA})


def test_one_press_takes_back_all_that_one_form_decided(browser: Get, store: Engine) -> None:
    visitor = browser("ron")
    act, seen = uuid4(), members(visitor.get("/").text)
    form = {"campaign": CAMPAIGN, f"seen-{CAMPAIGN}": seen, "alert": ADA}
    visitor.post("/verdicts", **form, verdict="confirm", act=act)
    assert [status(store, alert) for alert in (ADA, *SPRAYED)] == ["confirmed"] * 4
    page = visitor.get("/").text
    assert "4 alerts confirmed" in page and f'name="act" value="{act}"' in page
    browser("rita").post(f"/alerts/{ADA}/verdict", verdict="dismiss", act=uuid4(), seen=last_review(store, ADA))
    for says in ("3 verdicts are undone", "Nothing was undone"):
        assert visitor.post("/undo", act=act).location == "/"
        assert says in visitor.get("/").text
    assert [status(store, alert) for alert in (ADA, *SPRAYED)] == ["dismissed", "open", "open", "open"]


def test_nobody_takes_back_what_another_decided(browser: Get, store: Engine) -> None:
    act = uuid4()
    browser("rita").post(f"/alerts/{ADA}/verdict", verdict="dismiss", act=act)
    for form in (act, "nonsense", None):
        browser("ron").post("/undo", act=form)
    assert status(store, ADA) == "dismissed"


def test_a_form_that_another_has_sent_is_refused_and_changes_nothing(browser: Get, store: Engine) -> None:
    act = uuid4()
    browser("rita").post(f"/alerts/{ADA}/verdict", verdict="dismiss", act=act)
    browser("rita").post(f"/alerts/{ADA}/comment", body="hers", act=act)
    before = rows(store, "SELECT * FROM monitor.review"), rows(store, "SELECT * FROM monitor.comment")
    visitor = browser("ron")
    sent = [(alert, *form) for alert in (ADA, BOB) for form in (("verdict", "confirm"), ("comment", "his"))]
    for alert, kind, value in sent:
        answer = visitor.post(f"/alerts/{alert}/{kind}", verdict=value, body=value, act=act)
        assert answer.status_code == 400
        assert "used for something else" in answer.text
    assert (rows(store, "SELECT * FROM monitor.review"), rows(store, "SELECT * FROM monitor.comment")) == before


def last_review(engine: Engine, alert: object) -> object:
    query = "SELECT review_id FROM monitor.review WHERE alert_id = :id ORDER BY reviewed_at DESC LIMIT 1"
    return rows(engine, query, id=alert)[0][0]


def test_ticked_alerts_are_judged_together_and_conflicts_are_told(browser: Get, store: Engine) -> None:
    browser("rita").post(f"/alerts/{ADA}/verdict", verdict="confirm", act=uuid4())
    visitor = browser("ron")
    visitor.post("/verdicts", verdict="dismiss", reason="test", alert=[str(ADA), str(BOB), "7"], act=uuid4())
    assert (status(store, ADA), status(store, BOB)) == ("confirmed", "dismissed")
    page = visitor.get("/").text
    assert "1 alert dismissed" in page and "rita has judged one of them" in page


def test_an_alert_is_assigned_and_found_by_it(browser: Get, store: Engine) -> None:
    visitor = browser("ron")
    visitor.post(f"/alerts/{ADA}/assign", assignee="rita")
    assert str(ADA) in visitor.get("/?assignee=rita").text
    for nobody in ("vera", "dora", "stranger"):
        assert visitor.post(f"/alerts/{ADA}/assign", assignee=nobody).status_code == 400
    visitor.post(f"/alerts/{ADA}/assign", assignee="")
    assert rows(store, "SELECT assignee, assigned_by FROM monitor.assignment") == [(None, "ron")]


@pytest.mark.parametrize("path", ["/", f"/alerts/{alert_of(HOSTILE_USER)}", f"/accounts/{account_of(HOSTILE_USER)}"])
def test_hostile_values_are_escaped_and_cut_and_lose_their_direction(path: str, browser: Get) -> None:
    visitor = browser("ron")
    visitor.post(f"/alerts/{alert_of(HOSTILE_USER)}/comment", body=XSS + RIGHT_TO_LEFT, act=uuid4())
    page = visitor.get(path).text
    assert "<script>document" not in page and "<img" not in page and "49" not in page.split("</header>")[0]
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


def test_the_alert_page_shows_what_happened_beside_what_is_usual(browser: Get) -> None:
    page = browser("vera").get(f"/alerts/{ADA}").text
    for part in ("DE 75 %, FR 25 %", "Logins over 60 days", "41 logins by day and hour, 1 of this alert ringed",
                 "Distance from the most frequent place", "Oddness of the last 16 logins"):  # fmt: skip
        assert part in page
    assert "Confirm attack" not in page  # a viewer looks on


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


@pytest.mark.parametrize("asked", ["3.15", "1e9", "nan", "text", "-1"])
def test_the_thresholds_page_says_what_another_threshold_would_do(asked: str, browser: Get) -> None:
    page = browser("vera").get(f"/thresholds?what={asked}")
    assert page.status_code == 200
    assert ("accounts a day would have alerted" in page.text) == (asked in ("3.15", "1e9", "-1"))


def test_the_pages_may_not_write_a_threshold_themselves(store: Engine) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), writing(store) as connection:
        connection.execute(text("SET LOCAL ROLE monitor_web"))
        connection.execute(text("UPDATE monitor.threshold SET value = 9"))
