"""Every route states its policy, and keeps it against everyone."""

from uuid import uuid4

import pytest
from browsing import Get
from flask import Flask
from sqlalchemy import Engine, text
from staged import CAMPAIGN, account_of, alert_of

from web.policy import policy_of

#: What each endpoint is meant for. A new route, or a new policy, has to be written down here.
MEANT = {
    "static": "anyone",
    "sign_in.enter": "anyone",
    "sign_in.entered": "anyone",
    "sign_in.leave": "viewer",
    "sign_in.password": "viewer",
    "queue.show": "viewer",
    "queue.judge": "reviewer",
    "queue.undo": "reviewer",
    "alert.show": "viewer",
    "alert.judge": "reviewer",
    "alert.comment": "reviewer",
    "alert.assign": "reviewer",
    "account.show": "viewer",
    "account.logins": "viewer",
    "insight.model": "viewer",
    "insight.thresholds": "viewer",
    "insight.roll_back": "admin",
    "insight.status": "viewer",
    "audit.show": "admin",
    "export.alerts": "viewer",
    "export.events": "viewer",
    "export.logins": "viewer",
    "export.baseline": "viewer",
    "export.risk": "viewer",
    "export.precision": "viewer",
    "export.models": "viewer",
    "export.scores": "viewer",
    "export.drift": "viewer",
    "export.thresholds": "viewer",
    "export.runs": "viewer",
    "export.audit_log": "admin",
    "probes.healthz": "anyone",
    "probes.readyz": "anyone",
    "probes.metrics": "anyone",  # who knows the token
}
RANK = {"viewer": 0, "reviewer": 1, "admin": 2}
ARGUMENTS = {
    "alert_id": alert_of("ada@corp.example"), "account_id": account_of("ada@corp.example"), "campaign": CAMPAIGN,
    "threshold_id": 1,
    "kind": "csv", "filename": "style.css",
}  # fmt: skip

Crawl = list[tuple[str, str, str]]


@pytest.fixture
def routes(app: Flask) -> Crawl:
    """(endpoint, method, path) of everything there is, signing out last."""
    adapter = app.url_map.bind("localhost")
    found = [
        (
            rule.endpoint,
            method,
            adapter.build(rule.endpoint, {name: ARGUMENTS[name] for name in rule.arguments}, method),
        )
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE", "PATCH"})
    ]
    return sorted(found, key=lambda route: route[0] == "sign_in.leave")


def test_every_route_has_the_policy_it_is_meant_to_have(app: Flask) -> None:
    assert {endpoint: policy_of(app, endpoint) for endpoint in app.view_functions} == MEANT


@pytest.mark.parametrize("name", [None, "dora"])
def test_nobody_and_the_disabled_reach_the_sign_in_page_alone(name: str | None, routes: Crawl, browser: Get) -> None:
    visitor = browser(name)
    for endpoint, method, path in routes:
        if MEANT[endpoint] == "anyone":
            continue
        response = visitor.get(path) if method == "GET" else visitor.post(path)
        if method == "GET":
            assert (response.status_code, response.location.split("?")[0]) == (303, "/sign-in"), path
        else:
            assert response.status_code == 401, path


@pytest.mark.parametrize(("name", "role"), [("vera", "viewer"), ("ron", "reviewer"), ("alma", "admin")])
def test_each_role_reaches_what_it_may_and_nothing_else(
    name: str, role: str, routes: Crawl, browser: Get, clean: None
) -> None:
    visitor = browser(name)
    for endpoint, method, path in routes:
        response = visitor.get(path) if method == "GET" else visitor.post(path)
        meant = MEANT[endpoint]
        if meant != "anyone" and RANK[role] < RANK[meant]:
            assert response.status_code == 403, path
        else:
            assert response.status_code in (200, 303, 400) or endpoint in ("sign_in.entered", "probes.metrics"), (
                path,
                response.text,
            )


@pytest.mark.parametrize("path", ["/verdicts", "/alerts/{alert}/verdict", "/sign-out", "/password", "/sign-in"])
def test_a_form_without_its_token_changes_nothing_and_says_so(path: str, browser: Get) -> None:
    visitor = browser("ron")
    visitor.token = "forged"
    response = visitor.post(path.format(alert=ARGUMENTS["alert_id"]), verdict="confirm")
    assert response.status_code == 400
    assert "form has expired" in response.text


def test_every_answer_carries_the_security_headers(routes: Crawl, browser: Get) -> None:
    visitor = browser("alma")
    for path in [path for _, method, path in routes if method == "GET"] + ["/nowhere", f"/alerts/{uuid4()}"]:
        headers = visitor.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/nowhere", 404),
        (f"/alerts/{uuid4()}", 404),
        ("/alerts/7", 404),
        (f"/accounts/{uuid4()}", 404),
        ("/verdicts", 405),
        ("/?account=%00", 400),
        ("/?page=99999999999999999999", 200),
        ("/?page=-1&sort=nonsense&status=nonsense&severity=x&since=0001-01-01&until=9999-12-31&campaign=7", 200),
        ("/?account=%ff%fe%25_", 200),
        ("/audit?before=99999999999999999999", 200),
    ],
)
def test_an_address_that_makes_no_sense_is_a_clear_page(path: str, code: int, browser: Get) -> None:
    response = browser("alma").get(path)
    assert response.status_code == code
    assert "<h1>" in response.text


def test_a_forms_token_is_its_sessions_own_and_opens_no_others(browser: Get) -> None:
    ron, rita = browser("ron"), browser("rita")
    for visitor in (ron, rita, ron, rita):
        visitor.get("/")
    path, of_ron = f"/alerts/{alert_of('ada@corp.example')}/assign", ron.token
    assert of_ron != rita.token
    assert ron.post(path, assignee="ron").status_code == 303
    rita.token = of_ron
    assert rita.post(path, assignee="rita").status_code == 400


def test_only_pages_of_this_site_are_gone_to_after_signing_in(browser: Get) -> None:
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert 'name="next" value=""' in browser(None).get(f"/sign-in?next={target}").text
    assert 'name="next" value="/status"' in browser(None).get("/sign-in?next=/status").text


def test_a_restart_of_the_database_costs_nobody_a_page(browser: Get, store: Engine) -> None:
    visitor = browser("vera")
    assert visitor.get("/").status_code == 200
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    with store.connect() as connection:
        connection.execute(text(f"{others} AND pid <> pg_backend_pid()"))
    assert [visitor.get("/").status_code for _ in range(2)] == [200, 200]
