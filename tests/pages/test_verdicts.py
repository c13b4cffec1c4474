"""A reviewer's verdict on one alert: stored once, never over another's, and nothing typed is lost."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from browsing import Get
from sqlalchemy import Engine
from staged import ADA, BOB, CAMPAIGN, account_of, alert_of, rows, status

pytestmark = pytest.mark.usefixtures("clean")


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
