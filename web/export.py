"""Every list as CSV or JSON, filtered as on its page, and harmless to the spreadsheet that opens it."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, request

from monitor.store import audit, dossier, insight, queue
from web.insight import DAYS
from web.policy import allow, now, store
from web.queue import read_filter

blueprint = Blueprint("export", __name__)

MOST_ROWS = 50_000

#: A cell that begins like this is a formula to a spreadsheet (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@blueprint.get("/alerts.<any(csv,json):kind>")
@allow("viewer")
def alerts(kind: str) -> Response:
    """Every alert by itself: a campaign is one row to a reader, and many to a program."""
    names = (
        "alert_id", "user_name", "opened_at", "last_event_at", "score", "severity", "status", "headline",
        "event_count", "campaign_id", "thin_history", "assignee", "reasons",
    )  # fmt: skip
    chosen = replace(read_filter(request.args.to_dict()), folded=False)
    return _file("alerts", kind, names, queue.alerts(store(), chosen, MOST_ROWS).alerts)


@blueprint.get("/alerts/<uuid:alert_id>/logins.<any(csv,json):kind>")
@allow("viewer")
def events(alert_id: UUID, kind: str) -> Response:
    """The logins of one alert as they were copied into it, the oddest first."""
    names = ("occurred_at", "source", "event_id", "score", "event", "attribution")
    connection = store()
    if dossier.find_alert(connection, alert_id) is None:
        abort(404)
    return _file("alert", kind, names, dossier.alert_events(connection, alert_id, MOST_ROWS, explained=MOST_ROWS))


@blueprint.get("/accounts/<uuid:account_id>/logins.<any(csv,json):kind>")
@allow("viewer")
def logins(account_id: UUID, kind: str) -> Response:
    """The logins of one account within a year, the latest first."""
    names = (
        "occurred_at", "source", "event_id", "outcome", "ip", "country", "city", "asn", "device_id", "browser", "os",
        "application", "auth_method", "network_kind", "score", "raw", "alerted",
    )  # fmt: skip
    user_name, since, until = _account(account_id)
    return _file("logins", kind, names, dossier.logins(store(), user_name, since, until, MOST_ROWS))


@blueprint.get("/accounts/<uuid:account_id>/baseline.<any(csv,json):kind>")
@allow("viewer")
def baseline(account_id: UUID, kind: str) -> Response:
    """What is usual for one account: every value that is known of it."""
    user_name, _, _ = _account(account_id)
    names = ("feature", "value", "share", "last_seen_at")
    return _file("baseline", kind, names, dossier.baseline(store(), user_name, MOST_ROWS))


@blueprint.get("/accounts/<uuid:account_id>/risk.<any(csv,json):kind>")
@allow("viewer")
def risk(account_id: UUID, kind: str) -> Response:
    user_name, since, until = _account(account_id)
    return _file("risk", kind, ("day", "risk", "max_score", "events"), dossier.risk(store(), user_name, since, until))


@blueprint.get("/thresholds.<any(csv,json):kind>")
@allow("viewer")
def thresholds(kind: str) -> Response:
    names = (
        "threshold_id", "value", "decided_at", "decided_by", "basis", "reviews_used", "expected_precision",
        "expected_alerts_per_day", "model_id",
    )  # fmt: skip
    return _file("thresholds", kind, names, insight.thresholds(store(), MOST_ROWS))


@blueprint.get("/precision.<any(csv,json):kind>")
@allow("viewer")
def precision(kind: str) -> Response:
    """Alerts, verdicts and precision by week."""
    names = ("week", "alerts", "reviewed", "confirmed", "dismissed", "precision")
    return _file("precision", kind, names, insight.quality(store(), MOST_ROWS))


@blueprint.get("/models.<any(csv,json):kind>")
@allow("viewer")
def models(kind: str) -> Response:
    names = ("model_id", "detector", "status", "features", "metadata", "trained_until", "created_at")
    return _file("models", kind, names, insight.models(store(), MOST_ROWS))


@blueprint.get("/scores.<any(csv,json):kind>")
@allow("viewer")
def scores(kind: str) -> Response:
    """By day: logins, and the share with a score of 2 and more."""
    connection = store()
    newest = insight.newest_score(connection)
    rows = insight.daily_shares(connection, newest, DAYS) if newest else []
    return _file("scores", kind, ("day", "logins", "share"), rows)


@blueprint.get("/drift.<any(csv,json):kind>")
@allow("viewer")
def drift(kind: str) -> Response:
    """Mean contribution of each feature of the active model, in its first logins and in its latest."""
    connection = store()
    active = [model for model in insight.models(connection, 1) if model.status == "active"]
    rows = insight.feature_drift(connection, active[0].model_id) if active else []
    return _file("drift", kind, ("feature", "first", "latest"), rows)


@blueprint.get("/runs.<any(csv,json):kind>")
@allow("viewer")
def runs(kind: str) -> Response:
    names = ("job", "status", "started_at", "finished_at", "seconds", "error", "counts")
    return _file("runs", kind, names, insight.runs(store(), MOST_ROWS))


@blueprint.get("/audit.<any(csv,json):kind>")
@allow("admin")
def audit_log(kind: str) -> Response:
    names = ("audit_id", "occurred_at", "actor", "action", "subject", "details", "address", "hash")
    actor, action = request.args.get("actor", "")[:200], request.args.get("action", "")[:100]
    return _file("audit", kind, names, audit.entries(store(), MOST_ROWS, None, actor or None, action or None))


def _account(account_id: UUID) -> tuple[str, datetime, datetime]:
    """Name of an account, and the year up to its latest login."""
    account = dossier.find_account(store(), account_id)
    if account is None:
        abort(404)
    until = (account.last_seen_at or now()) + timedelta(hours=1)
    return account.user_name, until - timedelta(days=366), until


def _file(name: str, kind: str, names: Sequence[str], rows: Sequence[Any]) -> Response:
    """The rows as an attachment; a list that was cut says so in its name."""
    if kind == "json":
        content = json.dumps(
            [{column: _exact(getattr(row, column)) for column in names} for row in rows],
            default=_plain,
            ensure_ascii=False,
        )
    else:
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow(names)
        writer.writerows([cell(getattr(row, column)) for column in names] for row in rows)
        content = written.getvalue()
    mimetype = "application/json" if kind == "json" else "text/csv"
    cut = f"-first-{MOST_ROWS}" if len(rows) >= MOST_ROWS else ""
    headers = {"Content-Disposition": f'attachment; filename="{name}{cut}.{kind}"'}
    return Response(content, mimetype=mimetype, headers=headers)


def cell(value: object) -> object:
    """A value as a CSV cell: numbers as they are, texts that would be formulas behind an apostrophe."""
    if value is None or isinstance(value, bool | int | float):
        return _exact(value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else _plain(value)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(FORMULA) else text


def _exact(value: object) -> object:
    """A number with the digits that it has: single precision, as scores are stored, seems to have more when widened."""
    return float(f"{value:.8g}") if isinstance(value, float) else value


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
