"""Alerts are judged together, and all that one form decided is taken back at once."""

import re
from uuid import uuid4

import pytest
from browsing import Get
from sqlalchemy import Engine, text
from staged import ADA, BOB, CAMPAIGN, SPRAYED, rows, status

pytestmark = pytest.mark.usefixtures("clean")


def members(page: str, campaign: object = CAMPAIGN) -> str:
    """What a form says of the campaign that was seen."""
    found = re.search(f'name="seen-{campaign}" value="([^"]+)"', page)
    assert found is not None
    return found[1]


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


def last_review(engine: Engine, alert: object) -> object:
    query = "SELECT review_id FROM monitor.review WHERE alert_id = :id ORDER BY reviewed_at DESC LIMIT 1"
    return rows(engine, query, id=alert)[0][0]


def test_nobody_takes_back_what_another_decided(browser: Get, store: Engine) -> None:
    act = uuid4()
    browser("rita").post(f"/alerts/{ADA}/verdict", verdict="dismiss", act=act)
    for form in (act, "nonsense", None):
        browser("ron").post("/undo", act=form)
    assert status(store, ADA) == "dismissed"


def test_ticked_alerts_are_judged_together_and_conflicts_are_told(browser: Get, store: Engine) -> None:
    browser("rita").post(f"/alerts/{ADA}/verdict", verdict="confirm", act=uuid4())
    visitor = browser("ron")
    visitor.post("/verdicts", verdict="dismiss", reason="test", alert=[str(ADA), str(BOB), "7"], act=uuid4())
    assert (status(store, ADA), status(store, BOB)) == ("confirmed", "dismissed")
    page = visitor.get("/").text
    assert "1 alert dismissed" in page and "rita has judged one of them" in page
