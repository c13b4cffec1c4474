"""What goes wrong is a page that says what to do."""

import structlog
from flask import Flask, render_template
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from monitor.events import MonitorError
from monitor.vault import VaultError

log = structlog.get_logger("monitor.web")

TITLES = {
    400: ("This request cannot be understood", "Go back and try again."),
    401: ("You are not signed in", "Your session has ended. Sign in, then send the form again."),
    403: ("Not allowed", "Your role does not allow this. An administrator's or a reviewer's does."),
    404: ("There is nothing here", "The address is wrong, or what it named is gone."),
    405: ("This cannot be done here", "Go back and use the buttons of the page."),
    413: ("That is too much", "A form holds 256 kB at most."),
    429: ("Too many tries", "Wait a while, then try again."),
    503: ("The database does not answer", "Nothing was changed. Try again in a moment."),
}


def page(code: int, message: str = "") -> tuple[str, int]:
    title, advice = TITLES.get(code, ("Something went wrong", "It was logged. Try again."))
    return render_template("error.html", code=code, title=title, advice=message or advice), code


def install(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int]:
        return page(error.code or 500)

    @app.errorhandler(CSRFError)
    def expired(_: CSRFError) -> tuple[str, int]:
        return page(400, "This form has expired. Reload the page it was on, then send it again.")

    @app.errorhandler(MonitorError)
    def explained(error: MonitorError) -> tuple[str, int]:
        return page(400, f"{str(error)[:1].upper()}{str(error)[1:]}.")

    @app.errorhandler(VaultError)
    def sealed(error: VaultError) -> tuple[str, int]:
        log.error("nobody can sign in", error=str(error))
        return page(503, "Nobody can sign in at the moment; what is wrong is in the log.")

    @app.errorhandler(DBAPIError)
    def database(error: DBAPIError) -> tuple[str, int]:
        log.warning("page failed", error=type(error.orig).__name__)
        return page(503)

    @app.errorhandler(Exception)
    def fault(error: Exception) -> tuple[str, int]:
        log.exception("page failed", exc_info=error)
        return page(500)
