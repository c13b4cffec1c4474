"""The queue lists what is open, folded, filtered and assigned."""

import csv
import io

import pytest
from browsing import Get
from sqlalchemy import Engine
from staged import ADA, ALERTS, CAMPAIGN, alert_of, rows

pytestmark = pytest.mark.usefixtures("clean")

#: Of the campaign, all but the worst.
LESSER = {"spray2@corp.example", "spray3@corp.example"}


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


def test_an_alert_is_assigned_and_found_by_it(browser: Get, store: Engine) -> None:
    visitor = browser("ron")
    visitor.post(f"/alerts/{ADA}/assign", assignee="rita")
    assert str(ADA) in visitor.get("/?assignee=rita").text
    for nobody in ("vera", "dora", "stranger"):
        assert visitor.post(f"/alerts/{ADA}/assign", assignee=nobody).status_code == 400
    visitor.post(f"/alerts/{ADA}/assign", assignee="")
    assert rows(store, "SELECT assignee, assigned_by FROM monitor.assignment") == [(None, "ron")]


def test_rows_that_are_kept_show_what_is_so_by_now_and_boxes_to_reviewers_alone(browser: Get) -> None:
    reviewer, viewer = browser("ron"), browser("vera")
    assert "for rita" not in reviewer.get("/").text
    reviewer.post(f"/alerts/{ADA}/assign", assignee="rita")
    for visitor, boxes in ((reviewer, True), (viewer, False)):
        page = visitor.get("/").text
        assert "for rita" in page
        assert (f'name="alert" value="{ADA}"' in page) == boxes
    assert f'href="/alerts/{ADA}?queue=severity%3Dcritical"' in reviewer.get("/?severity=critical").text
