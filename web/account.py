"""One account: what is usual for it, how risky it was, its alerts, its logins as a picture and as a list."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, render_template, request
from sqlalchemy import Connection

from monitor.store import dossier
from web import charts
from web.policy import allow, now, store
from web.shown import WEEKDAYS

blueprint = Blueprint("account", __name__)

PICTURE = timedelta(days=60)

#: Logins of one page of the list; its last page ends where the picture does.
PAGE = 50
HOURS = tuple(f"{hour:02d}" for hour in range(24))

#: What the hours named in words hold at least, of an account's logins.
MOST_OF_THE_DAY = 0.8

#: Features that have a picture of their own, and clients, whose parts are listed each by itself.
NOT_LISTED = ("hour", "weekday", "place", "client")


@blueprint.get("/accounts/<uuid:account_id>")
@allow("viewer")
def show(account_id: UUID) -> str:
    connection = store()
    account, since, until = _find(connection, account_id)
    dots = dossier.dots(connection, account_id, account.user_name, since, until)
    risk = dossier.risk(connection, account.user_name, since, until)
    baseline = dossier.baseline(connection, account.user_name)
    alerts = dossier.alerts_of(connection, account_id, 20)
    scopes = dossier.scopes_of(connection, account_id, now())
    places = charts.places(dots)
    usual = {feature: list(rows) for feature, rows in groupby(baseline, key=lambda row: row.feature)}
    hours, weekdays = _shares(usual.get("hour", ()), HOURS), _shares(usual.get("weekday", ()), WEEKDAYS)
    return render_template(
        "account/show.html",
        account=account,
        usual={feature: rows for feature, rows in usual.items() if feature not in NOT_LISTED},
        first=_first(usual),
        most_of_the_day=_most_of_the_day(list(hours.values())),
        hours=hours,
        weekdays=weekdays,
        hours_chart=charts.histogram(_in_percent(hours), "Share of logins by hour of the day (UTC), in per cent"),
        weekdays_chart=charts.histogram(_in_percent(weekdays), "Share of logins by day of the week, in per cent"),
        alerts=alerts,
        scopes=scopes,
        login_count=len(dots),
        most_logins=dossier.MOST_LOGINS,
        places=places,
        calendar=charts.calendar(dots, _odd(dots), since, until, places),
        risky=[row for row in risk if row.risk > 0],
        risk_chart=charts.days([(row.day, row.risk) for row in risk], "Risk by day"),
    )


@blueprint.get("/accounts/<uuid:account_id>/logins")
@allow("viewer")
def logins(account_id: UUID) -> str:
    """The logins of the picture as a table."""
    connection = store()
    account, since, until = _find(connection, account_id)
    last = dossier.MOST_LOGINS // PAGE
    page = min(max(request.args.get("page", 1, type=int), 1), last)
    found = dossier.logins(connection, account.user_name, since, until, PAGE + 1, (page - 1) * PAGE)
    return render_template(
        "account/logins.html",
        account=account,
        logins=found[:PAGE],
        odd=_odd(found),
        page=page,
        more=len(found) > PAGE and page < last,
    )


def _find(connection: Connection, account_id: UUID) -> tuple[Any, datetime, datetime]:
    """An account, and the time its picture is of, up to its latest login."""
    account = dossier.find_account(connection, account_id)
    if account is None:
        abort(404)
    until = (account.last_seen_at or now()) + timedelta(hours=1)
    return account, until - PICTURE, until


def _odd(logins: Iterable[Any]) -> set[tuple[str, str]]:
    return {(row.source, row.event_id) for row in logins if row.alerted}


def _shares(rows: Iterable[Any], slots: Sequence[str]) -> dict[str, float]:
    """The share of each hour or weekday, in order; empty when nothing is known."""
    known = {row.value: row.share or 0.0 for row in rows}
    return {slot: known.get(slot, 0.0) for slot in slots} if known else {}


def _in_percent(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return [(slot, 100 * share) for slot, share in shares.items()]


def _first(usual: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """The most frequent value of each feature."""
    return {feature: rows[0] for feature, rows in usual.items()}


def _most_of_the_day(shares: Sequence[float]) -> tuple[int, int, float] | None:
    """The shortest stretch of hours that holds most logins: from, to (may lie past midnight), share."""
    if not shares:
        return None
    twice = [*shares, *shares]
    for length in range(1, 24):
        start = max(range(24), key=lambda hour: sum(twice[hour : hour + length]))
        share = sum(twice[start : start + length])
        if share >= MOST_OF_THE_DAY:
            return start, (start + length) % 24, share
    return None
