"""The pictures of the README, taken while `make demo` serves: MONITOR_DATA_DIR=… .venv/bin/python docs/screenshots.py

Works on the configured database (MONITOR_DATABASE_URL, or the MONITOR_DATA_DIR that the demo prints); needs chromium.
"""

import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import waitress
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import sync_playwright

from monitor.config import load_settings
from monitor.jobs.reviewers import ReviewerError, add_reviewer
from monitor.jobs.sign_in import open_session
from monitor.store.engine import connect, writing
from monitor.store.reviewers import change_reviewer
from monitor.vault import Vault
from web import create_app

HERE = Path(__file__).parent
NAME = "screenshots"


def main() -> None:
    program = shutil.which("chromium")
    if program is None:
        sys.exit("chromium is not installed")
    settings, now = load_settings(), datetime.now(UTC)
    engine = connect(settings)
    with suppress(ReviewerError):  # there is one from the last time
        add_reviewer(engine, Vault(settings.key_file), NAME, "reviewer", now)
    with writing(engine) as connection:
        change_reviewer(connection, NAME, must_change=False, disabled_at=None)
        token = open_session(connection, NAME, "127.0.0.1", now)
    app = create_app(settings)
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    Thread(target=server.run, daemon=True).start()
    take(program, f"http://127.0.0.1:{server.effective_port}", signer.dumps({"token": token}))
    with writing(engine) as connection:
        change_reviewer(connection, NAME, disabled_at=datetime.now(UTC))


def take(program: str, site: str, cookie: str) -> None:
    """Write queue.png and alert.png; the alert is the first one that is no part of a campaign."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        context = browser.new_context(base_url=site, viewport={"width": 1200, "height": 760})
        context.add_cookies([{"name": "monitor", "value": cookie, "url": site}])
        page = context.new_page()
        page.goto("/")
        page.screenshot(path=HERE / "queue.png")
        alone = page.locator('tr[data-alert]:not(:has(a[href*="campaign="])) a.open')
        (alone if alone.count() else page.locator("a.open")).first.click()
        page.wait_for_selector(".beside")
        page.set_viewport_size({"width": 1200, "height": 1400})
        page.screenshot(path=HERE / "alert.png")
        browser.close()


if __name__ == "__main__":
    main()
