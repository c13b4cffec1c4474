"""Every list as CSV or JSON, filtered as on its page, and harmless to the spreadsheet that opens it."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, request

from monitor.store import audit, dossier, insight, queue
from web.policy import allow, now, store
from web.queue import read_filter

blueprint = Blueprint("export", __name__)

MOST_ROWS = 50_000

#: A cell that begins like this is a formula to a spreadsheet (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@blueprint.get("/alerts.<any(csv,json):kind>")
@allow("viewer")
def alerts(kind: str) -> Response:
    names = (
        "alert_id", "user_name", "opened_at", "last_event_at", "score", "severity", "status", "headline",
        "event_count", "campaign_id", "thin_history", "assignee", "reasons",
    )  # fmt: skip
    connection = store()
    rows = queue.alerts(connection, read_filter(request.args), MOST_ROWS)
    return _file("alerts", kind, names, rows)


@blueprint.get("/accounts/<uuid:account_id>/logins.<any(csv,json):kind>")
@allow("viewer")
def logins(account_id: UUID, kind: str) -> Response:
    names = (
        "occurred_at", "source", "event_id", "outcome", "ip", "country", "city", "asn", "device_id", "browser", "os",
        "application", "auth_method", "network_kind", "score", "raw", "alerted",
    )  # fmt: skip
    connection = store()
    account = dossier.find_account(connection, account_id)
    if account is None:
        abort(404)
    until = (dossier.latest_login(connection, account.user_name) or now()) + timedelta(hours=1)
    rows = dossier.logins(connection, account.user_name, until - timedelta(days=366), until, MOST_ROWS)
    return _file("logins", kind, names, rows)


@blueprint.get("/thresholds.<any(csv,json):kind>")
@allow("viewer")
def thresholds(kind: str) -> Response:
    names = (
        "threshold_id", "value", "decided_at", "decided_by", "basis", "reviews_used", "expected_precision",
        "expected_alerts_per_day", "model_id",
    )  # fmt: skip
    connection = store()
    rows = insight.thresholds(connection, MOST_ROWS)
    return _file("thresholds", kind, names, rows)


@blueprint.get("/runs.<any(csv,json):kind>")
@allow("viewer")
def runs(kind: str) -> Response:
    names = ("job", "status", "started_at", "finished_at", "seconds", "error", "counts")
    connection = store()
    rows = insight.runs(connection, MOST_ROWS)
    return _file("runs", kind, names, rows)


@blueprint.get("/audit.<any(csv,json):kind>")
@allow("admin")
def audit_log(kind: str) -> Response:
    names = ("audit_id", "occurred_at", "actor", "action", "subject", "details", "address", "hash")
    actor, action = request.args.get("actor", "")[:200], request.args.get("action", "")[:100]
    connection = store()
    rows = audit.entries(connection, MOST_ROWS, None, actor or None, action or None)
    return _file("audit", kind, names, rows)


def _file(name: str, kind: str, names: Sequence[str], rows: Iterable[Any]) -> Response:
    if kind == "json":
        content = json.dumps(
            [{column: getattr(row, column) for column in names} for row in rows], default=_plain, ensure_ascii=False
        )
    else:
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow(names)
        writer.writerows([cell(getattr(row, column)) for column in names] for row in rows)
        content = written.getvalue()
    mimetype = "application/json" if kind == "json" else "text/csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return Response(content, mimetype=mimetype, headers=headers)


def cell(value: object) -> object:
    """A value as a CSV cell: numbers as they are, texts that would be formulas behind an apostrophe."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else _plain(value)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(FORMULA) else text


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
