"""One alert: what happened beside what is usual, and the verdict on it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from monitor.columns import LENGTH
from monitor.jobs import review as jobs
from monitor.review import STATUS, ReviewError, Scope, Verdict, scope_values
from monitor.store import dossier, queue
from web import charts
from web.policy import address, allow, engine, now, person, store
from web.queue import filter_of, read_id, tell, write_filter

blueprint = Blueprint("alert", __name__)

#: Days of logins in the picture, and how much around the alert is enlarged.
PICTURE = timedelta(days=60)
AROUND, AFTER = timedelta(days=2), timedelta(hours=12)

#: Rows of the table behind the pictures; the account's logins are listed on a page of their own.
NEAR_LISTED = 10

#: The oddest logins of an alert, as a table; exports have them all.
EVENTS_LISTED = 25

#: How long a scope lasts unless the reviewer says otherwise, and at most.
SCOPE_DAYS, LONGEST_SCOPE = 30, timedelta(days=366)


@dataclass(frozen=True)
class Form:
    """What the verdict form holds: empty at first, as sent when it could not be taken."""

    reason: str = ""
    note: str = ""
    scope: str = ""
    until: str = ""
    problem: str = ""


@blueprint.get("/alerts/<uuid:alert_id>")
@allow("viewer")
def show(alert_id: UUID) -> str:
    return _page(alert_id, request.args.get("queue", ""), Form())


@blueprint.post("/alerts/<uuid:alert_id>/verdict")
@allow("reviewer")
def judge(alert_id: UUID) -> Response | str | tuple[str, int]:
    """Take a verdict, then open the next alert of the reviewer's queue."""
    form, query = request.form, request.form.get("queue", "")
    sent = Form(form.get("reason", ""), form.get("note", ""), form.get("scope", ""), form.get("until", ""))
    act = read_id(form.get("act")) or uuid4()
    try:
        given = _verdict(alert_id, sent, act)
        jobs.decide(engine(), given, read_id(form.get("seen")), address(), now())
    except jobs.ConflictError as error:
        return _conflict(alert_id, query, sent, error), 409
    except ReviewError as error:
        return _page(alert_id, query, replace(sent, problem=str(error))), 400
    if given.verdict == "undo":
        flash("The verdict is undone; the alert is open again.")
        return redirect(url_for("alert.show", alert_id=alert_id, queue=query or None), 303)
    tell(f"Alert {STATUS[given.verdict]}.", act)
    return redirect(_next(alert_id, query), 303)


@blueprint.post("/alerts/<uuid:alert_id>/comment")
@allow("reviewer")
def comment(alert_id: UUID) -> Response:
    form = request.form
    act = read_id(form.get("act")) or uuid4()
    jobs.comment(engine(), act, alert_id, person().name, form.get("body", ""), address(), now())
    return _again(alert_id)


@blueprint.post("/alerts/<uuid:alert_id>/assign")
@allow("reviewer")
def assign(alert_id: UUID) -> Response:
    jobs.assign(engine(), alert_id, request.form.get("assignee") or None, person().name, address(), now())
    return _again(alert_id)


def _again(alert_id: UUID) -> Response:
    return redirect(url_for("alert.show", alert_id=alert_id, queue=request.form.get("queue") or None), 303)


def _verdict(alert_id: UUID, sent: Form, act: UUID) -> Verdict:
    word, scope = request.form.get("verdict", ""), None
    if sent.scope and word == "dismiss":
        scope = _scope(alert_id, sent)
    return Verdict(alert_id, word, person().name, sent.reason if word != "undo" else None, sent.note, scope, act)


def _scope(alert_id: UUID, sent: Form) -> Scope:
    """The chosen scope, which must be one that the alert's logins offer."""
    feature, _, number = sent.scope.partition(":")
    connection = store()
    events = dossier.alert_events(connection, alert_id)
    offered = scope_values(row.event for row in events).get(feature, [])
    if not number.isdecimal() or int(number) >= len(offered):
        raise ReviewError("choose what the dismissal vouches for from the list")
    try:
        until = datetime.strptime(sent.until, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ReviewError("say until when the dismissal vouches for it") from None
    if until > now() + LONGEST_SCOPE:
        raise ReviewError("a dismissal can vouch for a year at most")
    return Scope(feature, offered[int(number)], until)


def _next(alert_id: UUID, query: str) -> str:
    chosen = filter_of(query)
    connection = store()
    following = queue.next_open(connection, chosen, alert_id)
    kept = write_filter(chosen)
    if following is None:
        return url_for("queue.show") + (f"?{kept}" if kept else "")
    return url_for("alert.show", alert_id=following, queue=kept or None)


def _conflict(alert_id: UUID, query: str, sent: Form, error: jobs.ConflictError) -> str:
    problem = (
        f"while you looked at it, {error.standing.reviewer} judged this alert. Your verdict was not taken: "
        "see theirs, then decide again."
    )
    return _page(alert_id, query, replace(sent, problem=problem))


def _page(alert_id: UUID, query: str, form: Form) -> str:
    connection = store()
    alert = dossier.find_alert(connection, alert_id)
    if alert is None:
        abort(404)
    events = dossier.alert_events(connection, alert_id)
    timeline = dossier.timeline(connection, alert_id) if alert.discussed else []
    earlier = dossier.alerts_of(connection, alert.account_id, 10, but=alert_id)
    scopes = dossier.scopes_of(connection, alert.account_id, now()) if alert.vouched else []
    until = alert.last_event_at + AFTER
    logins = dossier.logins(connection, alert.user_name, until - PICTURE, until)
    in_order = sorted(events, key=lambda row: row.occurred_at)
    after = dossier.alert_events(connection, alert_id, EVENTS_LISTED, follows=True) if alert.followers else []
    listed, following = (sorted(rows[:EVENTS_LISTED], key=lambda row: row.occurred_at) for rows in (events, after))
    return render_template(
        "alert/show.html",
        alert=alert,
        peak=events[0] if events else None,
        events=listed,
        following=following,
        columns=_columns([*listed, *following]),
        timeline=timeline,
        earlier=earlier,
        scopes=scopes,
        queue=write_filter(filter_of(query)),
        form=form,
        offered=scope_values(row.event for row in events),
        until=form.until or f"{now() + timedelta(days=SCOPE_DAYS):%Y-%m-%d}",
        act=uuid4(),
        known=sum(row.occurred_at < alert.opened_at for row in logins) if alert.thin_history else None,
        **_pictures(alert, in_order, logins),
    )


def _columns(events: list[Any]) -> list[str]:
    """The columns of the raw events that hold anything."""
    known = {name for row in events for name, value in row.event.items() if value is not None}
    names = dict.fromkeys(name for row in events for name in row.event)
    return [name for name in names if name in known and name not in ("occurred_at", "user")]


def _pictures(alert: Any, events: list[Any], logins: Any) -> dict[str, Any]:
    odd = {(row.source, row.event_id) for row in events}
    since, until = alert.last_event_at + AFTER - PICTURE, alert.last_event_at + AFTER
    near_since = max(alert.opened_at - AROUND, since)
    near = [row for row in logins if row.occurred_at >= near_since]
    peak = max((row.occurred_at for row in events), default=alert.last_event_at)
    window = [row for row in logins if row.raw is not None and row.occurred_at <= peak][:LENGTH][::-1]
    scored = [(row.occurred_at, row.raw, row.score, (row.source, row.event_id) in odd) for row in window]
    places = charts.places(logins)
    return {
        "places": places,
        "calendar": charts.calendar(logins, odd, since, until, places, frame=(near_since, until)),
        "window": charts.calendar(near, odd, near_since, until, places, large=True),
        "strip": charts.strip(near, odd, near_since, until, places),
        "near": near[:NEAR_LISTED],
        "near_count": len(near),
        "errors": charts.columns([(at, raw, marked) for at, raw, _, marked in scored]),
        "scored": scored,
        "odd": odd,
    }
