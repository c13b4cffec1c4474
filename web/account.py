"""One account: what is usual for it, how risky it was, its logins and alerts."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, render_template

from monitor.store import dossier
from web import charts
from web.policy import allow, now, store

blueprint = Blueprint("account", __name__)

PICTURE = timedelta(days=60)
MOST_LISTED = 40
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@blueprint.get("/accounts/<uuid:account_id>")
@allow("viewer")
def show(account_id: UUID) -> str:
    connection = store()
    account = dossier.find_account(connection, account_id)
    if account is None:
        abort(404)
    until = (dossier.latest_login(connection, account.user_name) or now()) + timedelta(hours=1)
    since = until - PICTURE
    logins = dossier.logins(connection, account.user_name, since, until)
    risk = dossier.risk(connection, account.user_name, since, until)
    baseline = dossier.baseline(connection, account.user_name)
    alerts = dossier.alerts_of(connection, account_id, 50)
    scopes = dossier.scopes_of(connection, account_id, now())
    odd = {(row.source, row.event_id) for row in logins if row.alerted}
    places = charts.places(logins)
    usual = {feature: list(rows) for feature, rows in groupby(baseline, key=lambda row: row.feature)}
    return render_template(
        "account/show.html",
        account=account,
        usual={feature: rows for feature, rows in usual.items() if feature not in ("hour", "weekday", "place")},
        hours=_clock(usual.get("hour", ()), 24),
        weekdays=_clock(usual.get("weekday", ()), 7),
        weekday_names=WEEKDAYS,
        alerts=alerts,
        scopes=scopes,
        logins=logins[:MOST_LISTED],
        login_count=len(logins),
        places=places,
        calendar=charts.calendar(logins, odd, since, until, places),
        risk=risk,
        risk_chart=charts.days([(row.day, row.risk) for row in risk], "Risk by day"),
    )


def _clock(rows: Iterable[Any], slots: int) -> list[float]:
    """The share of each hour or weekday, in order; all 0 when nothing is known."""
    shares = [0.0] * slots
    for row in rows:
        if row.value.isdecimal() and int(row.value) < slots:
            shares[int(row.value)] = row.share or 0.0
    return shares
