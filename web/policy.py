"""Who may do what: every view names its policy, and what names none is refused to everyone."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response

from monitor.jobs.reviewers import ROLES
from monitor.jobs.sign_in import find_session, keep_awake
from monitor.store.engine import reading

View = TypeVar("View", bound=Callable[..., object])
Policy = Literal["anyone", "viewer", "reviewer", "admin"]

#: Pages of somebody who still has a one-time password.
BEFORE_CHANGE = ("sign_in.password", "sign_in.leave", "static")


@dataclass(frozen=True)
class Person:
    """Who is signed in."""

    name: str
    role: str
    must_change: bool

    def may(self, policy: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(policy)


def allow(policy: Policy) -> Callable[[View], View]:
    """Let a view be used by ``policy`` and by the roles above it; goes below the route."""

    def mark(view: View) -> View:
        view.policy = policy  # type: ignore[attr-defined]
        return view

    return mark


def policy_of(app: Flask, endpoint: str) -> str | None:
    """The policy of an endpoint; None when it names none."""
    if endpoint == "static":
        return "anyone"
    found: str | None = getattr(app.view_functions[endpoint], "policy", None)
    return found


def install(app: Flask) -> None:
    app.before_request(_enforce)
    app.teardown_request(_close)


def engine() -> Engine:
    found: Engine = current_app.extensions["monitor"]
    return found


def now() -> datetime:
    """The clock of the pages."""
    return datetime.now(UTC)


def address() -> str:
    """Where the request comes from; the server has put a trusted proxy's word in place already."""
    return request.remote_addr or "unknown"


def person() -> Person:
    """Who is signed in, in views that only signed-in people reach."""
    found: Person = g.person
    return found


def store() -> Connection:
    """The read-only transaction of this request: a page shows one moment throughout."""
    if "store" not in g:
        g.transaction = ExitStack()
        g.store = g.transaction.enter_context(reading(engine()))
    found: Connection = g.store
    return found


def _close(_: BaseException | None = None) -> None:
    """End the request's transaction, before a form is acted on and when all is done."""
    transaction = g.pop("transaction", None)
    g.pop("store", None)
    if transaction is not None:
        transaction.close()


def _enforce() -> Response | None:
    g.person = None
    if request.endpoint is None:
        return None  # no such page: the error handler answers
    sent = (request.args,) if request.method in ("GET", "HEAD") else (request.args, request.form)
    if any("\0" in value for values in sent for value in values.values()):
        abort(400)
    policy = policy_of(current_app, request.endpoint)
    if policy is None:
        abort(403)
    if request.endpoint == "static":
        return None
    g.person = _whoever()
    if request.method not in ("GET", "HEAD"):
        _close()
    if policy == "anyone":
        return None
    return _refusal(policy)


def _refusal(policy: str) -> Response | None:
    """None when whoever is signed in may do what needs ``policy``."""
    if g.person is None:
        if request.method not in ("GET", "HEAD"):
            abort(401)
        return redirect(url_for("sign_in.enter", next=request.full_path.rstrip("?")), 303)
    if g.person.must_change and request.endpoint not in BEFORE_CHANGE:
        return redirect(url_for("sign_in.password"), 303)
    if not g.person.may(policy):
        abort(403)
    return None


def _whoever() -> Person | None:
    token = session.get("token")
    if not isinstance(token, str):
        return None
    try:
        found = find_session(store(), token, now())
    except DBAPIError as error:
        # The pool's connections are not tried before use, which would cost every page a round trip: after a restart
        # of the database the first one says so here, and all are opened anew.
        if not error.connection_invalidated:
            raise
        g.pop("store")
        g.pop("transaction").__exit__(type(error), error, error.__traceback__)  # rolled back: nothing is left to commit
        found = find_session(store(), token, now())
    if found is None:
        session.clear()
        return None
    if found.stale:
        keep_awake(engine(), token, now())
    return Person(found.name, found.role, found.must_change)
