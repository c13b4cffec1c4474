"""A real browser does a reviewer's morning; nothing hostile runs in it, and everyone can use what it shows."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from threading import Thread
from uuid import uuid4

import pytest
import waitress
from axe_playwright_python.sync_playwright import Axe
from browsing import add_people
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from pydantic import SecretStr
from pyotp import TOTP
from sqlalchemy import Engine, text
from staged import ALERTS, CAMPAIGN, COMBINING, HOSTILE_USER, RIGHT_TO_LEFT, XSS, account_of, alert_of, build

from monitor.config import Settings
from monitor.credentials import hashed
from monitor.store.engine import open_url, reading, writing
from web import create_app

PASSWORD, SECRET = "correct horse battery", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
USERS = list(ALERTS)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        message = "chromium is not installed: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def store(make_database: Callable[[str], str], template: str) -> Iterator[Engine]:
    engine = open_url(make_database(template))
    with writing(engine) as connection:
        build(connection)
        add_people(connection, datetime.now(UTC), SECRET, hashed(PASSWORD))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def site(store: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the pages behind their real server."""
    url = store.url.render_as_string(hide_password=False)
    app: Flask = create_app(Settings(database_url=SecretStr(url), data_dir=tmp_path_factory.mktemp("data")))
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(5)
    app.extensions["monitor"].dispose()


def signed_in(chromium: Browser, site: str, name: str) -> Page:
    """Somebody's browser, signed in by password and code."""
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto("/status")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=code]", TOTP(SECRET).now())
    page.press("[name=code]", "Enter")
    page.wait_for_url("**/status")
    return page


@pytest.fixture(scope="module")
def page(chromium: Browser, site: str) -> Iterator[Page]:
    """Alma's browser; whatever a page complains about fails the test, but for pages that are refused on purpose."""
    page = signed_in(chromium, site, "alma")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert [one for one in complaints if "Failed to load resource" not in one] == []
    page.context.close()


@pytest.fixture(autouse=True)
def untouched(store: Engine) -> None:
    with writing(store) as connection:
        for table in ("review", "comment", "assignment", "scoped_dismissal"):
            connection.execute(text(f"DELETE FROM monitor.{table}"))
        connection.execute(text("UPDATE monitor.alert SET status = 'open'"))


def verdicts(engine: Engine) -> list[tuple[object, ...]]:
    query = "SELECT alert_id, verdict, reviewer, reason FROM monitor.review ORDER BY reviewed_at, alert_id"
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_morning_by_keyboard(page: Page, store: Engine) -> None:
    """Walks the queue, reads an alert, dismisses with scope and expiry, undoes, confirms a campaign."""
    first, second = alert_of(USERS[0]), alert_of(USERS[1])
    page.goto("/")
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("Escape")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    assert page.locator("tr.current").inner_text().count(USERS[0]) == 1
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/alerts/{first}*")
    assert "DE 75 %, FR 25 %" in page.locator(".beside").inner_text()

    until = (datetime.now(UTC) + timedelta(days=20)).date()
    page.select_option("[name=reason]", "vpn")
    page.select_option("[name=scope]", label="network (AS): 5002")
    page.fill("[name=until]", f"{until}")
    page.locator("h1").click()
    page.keyboard.press("d")
    page.wait_for_url(f"**/alerts/{second}*")  # the next alert opens by itself
    assert verdicts(store) == [(first, "dismiss", "alma", "vpn")]
    with reading(store) as connection:
        found = connection.execute(text("SELECT feature, value, valid_until::date FROM monitor.scoped_dismissal")).one()
    assert tuple(found) == ("asn", "5002", until + timedelta(days=1))

    page.keyboard.press("u")
    page.wait_for_url(f"**/alerts/{first}")
    page.wait_for_function("document.querySelector('.verdict button[value=confirm]') !== null")
    assert [verdict for _, verdict, *_ in verdicts(store)] == ["dismiss", "undo"]

    page.goto("/")
    page.locator("a", has_text="campaign").first.click()
    page.wait_for_url(f"**campaign={CAMPAIGN}*")
    page.locator("#campaign [name=reason]").select_option("attempt")
    page.click("text=Confirm all that are open")
    page.wait_for_selector("text=3 alerts confirmed")
    sprayed = {alert_of(f"spray{number}@corp.example") for number in (1, 2, 3)}
    assert {row[0] for row in verdicts(store)[2:]} == sprayed
    assert {row[1:] for row in verdicts(store)[2:]} == {("confirm", "alma", "attempt")}


def test_the_queue_alone_takes_a_verdict_by_key(page: Page, store: Engine) -> None:
    page.goto("/")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.wait_for_selector("text=1 alert confirmed")
    assert verdicts(store) == [(alert_of(USERS[0]), "confirm", "alma", None)]
    page.keyboard.press("u")
    page.wait_for_selector("text=The verdict is undone")
    assert [verdict for _, verdict, *_ in verdicts(store)] == ["confirm", "undo"]


def test_a_spray_is_one_row_and_one_key(page: Page, store: Engine) -> None:
    page.goto("/")
    row = page.locator("tr[data-alert]", has_text="campaign of 3 alerts")
    for _ in range(10):
        page.keyboard.press("j")
        if "current" in (row.get_attribute("class") or ""):
            break
    page.keyboard.press("d")
    page.wait_for_selector("text=3 alerts dismissed")
    sprayed = {alert_of(f"spray{number}@corp.example") for number in (1, 2, 3)}
    assert {(row[0], row[1]) for row in verdicts(store)} == {(alert, "dismiss") for alert in sprayed}
    page.keyboard.press("u")
    page.wait_for_selector("text=3 verdicts are undone")


def test_without_script_a_verdict_is_taken_all_the_same(
    page: Page, chromium: Browser, site: str, store: Engine
) -> None:
    state = page.context.storage_state()
    context = chromium.new_context(base_url=site, storage_state=state, java_script_enabled=False)
    plain = context.new_page()
    plain.goto("/")
    plain.locator("a.open").first.click()
    plain.click("text=Confirm attack")
    plain.wait_for_url(f"**/alerts/{alert_of(USERS[1])}*")
    context.close()
    assert verdicts(store) == [(alert_of(USERS[0]), "confirm", "alma", None)]


@pytest.mark.parametrize(
    "path", ["/", f"/alerts/{alert_of(HOSTILE_USER)}", f"/accounts/{account_of(HOSTILE_USER)}", "/audit"]
)
def test_nothing_hostile_runs_or_breaks_the_page(path: str, page: Page) -> None:
    page.goto(path)
    assert "hacked" not in page.title()
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_hostile_notes_and_comments_are_shown_and_do_nothing(page: Page, store: Engine) -> None:
    hostile = XSS + RIGHT_TO_LEFT + COMBINING
    page.goto(f"/alerts/{alert_of(USERS[0])}")
    page.fill("[name=body]", hostile)
    page.click("text=Add comment")
    page.wait_for_selector(".said")
    page.fill("[name=note]", hostile)
    page.click("text=Dismiss")
    page.wait_for_selector("#undo")
    page.goto(f"/alerts/{alert_of(USERS[0])}")
    said = page.locator(".said")
    assert said.count() == 2
    assert all("<script>document.title" in one and "\u202e" not in one for one in said.all_inner_texts())
    assert "hacked" not in page.title() and page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_form_that_is_sent_twice_is_one_verdict(page: Page, store: Engine) -> None:
    page.goto(f"/alerts/{alert_of(USERS[0])}")
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    form = page.evaluate("() => Object.fromEntries(new FormData(document.querySelector('.verdict form')))") | {
        "verdict": "confirm"
    }
    path = page.get_attribute(".verdict form", "action")
    for _ in range(3):
        answer = page.request.post(path or "", form=form, headers={"Cookie": cookies}, max_redirects=0)
        assert answer.status == 303
    assert verdicts(store) == [(alert_of(USERS[0]), "confirm", "alma", None)]


def test_a_form_that_has_expired_and_a_page_of_nothing_say_so(page: Page, store: Engine) -> None:
    page.goto(f"/alerts/{alert_of(USERS[0])}")
    page.evaluate("document.querySelectorAll('[name=csrf_token]').forEach((one) => one.value = 'old')")
    page.click("text=Confirm attack")
    page.wait_for_selector("text=This form has expired")
    assert verdicts(store) == []
    page.goto(f"/alerts/{uuid4()}")
    assert "There is nothing here" in page.inner_text("h1")


def test_of_two_reviewers_the_second_is_told_and_sees_the_first_ones_verdict(
    page: Page, chromium: Browser, site: str, store: Engine
) -> None:
    alert = alert_of(USERS[0])
    other = signed_in(chromium, site, "rita")
    page.goto(f"/alerts/{alert}")
    other.goto(f"/alerts/{alert}")
    other.click("text=Confirm attack")
    other.wait_for_selector("#undo")
    page.fill("[name=note]", "mine")
    page.click("text=Dismiss")
    page.wait_for_selector("text=rita judged this alert")
    assert "confirmed" in page.locator(".verdict .badge").inner_text()
    assert verdicts(store) == [(alert, "confirm", "rita", None)]
    other.context.close()


PATHS = [
    "/",
    f"/?campaign={CAMPAIGN}&severity=high",
    f"/alerts/{alert_of(HOSTILE_USER)}",
    f"/accounts/{account_of(USERS[0])}",
    f"/accounts/{account_of(USERS[0])}/logins",
    "/model",
    "/thresholds",
    "/status",
    "/audit",
    "/audit?whole=yes&actor=nobody",
    "/?account=nobody",
    f"/alerts/{alert_of(USERS[6])}",
    "/password",
    "/nowhere",
]


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_accessible_in_light_and_dark_and_fits_a_phone(path: str, page: Page) -> None:
    page.goto(path)
    for scheme, width in product(("light", "dark"), (1280, 360)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        found = Axe().run(page).response["violations"]
        serious = [
            (one["id"], node["target"]) for one in found if one["impact"] in ("serious", "critical")
            for node in one["nodes"][:3]
        ]  # fmt: skip
        assert serious == []
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_the_sign_in_page_is_accessible_and_refuses_a_wrong_code(chromium: Browser, site: str) -> None:
    page = chromium.new_page(base_url=site)
    page.goto("/sign-in")
    violations = Axe().run(page).response["violations"]
    assert [one["id"] for one in violations if one["impact"] in ("serious", "critical")] == []
    page.fill("[name=name]", "ron")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=code]", "000000")
    page.press("[name=code]", "Enter")
    page.wait_for_selector("text=Name, password or code is wrong")
    page.close()


def test_a_page_weighs_little(page: Page) -> None:
    for path in ("/", f"/alerts/{alert_of(HOSTILE_USER)}", f"/accounts/{account_of(HOSTILE_USER)}"):
        response = page.goto(path)
        assert response is not None
        assert len(response.body()) < 400_000
