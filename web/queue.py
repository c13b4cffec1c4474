"""The queue: alerts by filter and order, kept in the address; one verdict for several at once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4

from flask import Blueprint, abort, flash, get_template_attribute, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from monitor.jobs import review as jobs
from monitor.review import SCOPES, STATUS, Verdict
from monitor.store import queue
from monitor.store.reviews import Standing
from web.policy import address, allow, engine, now, person, store
from web.shown import FEATURES, alert_url, feature

blueprint = Blueprint("queue", __name__)

PAGE = 25
MOST_AT_ONCE = 20_000
SEVERITIES = ("critical", "high", "medium", "low")
REASON_WORDS = sorted({*FEATURES, *SCOPES, "region", "browser", "weekday"} - {"ip"})


def read_filter(values: Mapping[str, str]) -> queue.Filter:
    """The filter that an address names; what makes no sense in it is left out."""
    status, sort = values.get("status", "open"), values.get("sort", "score")
    chosen = queue.Filter(
        status=status if status in {*STATUS.values(), "all"} else "open",
        severity=values.get("severity", "") if values.get("severity") in SEVERITIES else "",
        account=values.get("account", "")[:200],
        reason=values.get("reason", "") if values.get("reason") in REASON_WORDS else "",
        assignee=values.get("assignee", "")[:100],
        campaign=read_id(values.get("campaign")),
        since=_day(values.get("since")),
        until=_day(values.get("until"), timedelta(days=1)),
        sort=sort if sort in queue.SORTS else "score",
    )
    # Where single accounts are asked for, the one that is may not be the worst of its campaign.
    single = chosen.account or chosen.reason or chosen.assignee or chosen.campaign or chosen.since or chosen.until
    return replace(chosen, folded=not single)


def write_filter(chosen: queue.Filter, **changed: object) -> str:
    """The query of an address for a filter; defaults are left out."""
    values = {
        "status": "" if chosen.status == "open" else chosen.status,
        "severity": chosen.severity,
        "account": chosen.account,
        "reason": chosen.reason,
        "assignee": chosen.assignee,
        "campaign": chosen.campaign,
        "since": f"{chosen.since:%Y-%m-%d}" if chosen.since else "",
        "until": f"{chosen.until - timedelta(days=1):%Y-%m-%d}" if chosen.until else "",
        "sort": "" if chosen.sort == "score" else chosen.sort,
    } | changed
    return urlencode({name: value for name, value in values.items() if value})


def read_id(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


@blueprint.get("/")
@allow("viewer")
def show() -> str:
    chosen = read_filter(request.args.to_dict())
    page = min(max(request.args.get("page", 1, type=int), 1), 10_000)
    connection = store()
    found = queue.alerts(connection, chosen, PAGE + 1, (page - 1) * PAGE)
    campaign = queue.open_of_campaign(connection, chosen.campaign) if chosen.campaign else None
    query = write_filter(chosen)
    return render_template(
        "queue/show.html",
        rows=_rows(found.alerts[:PAGE], f"?{urlencode({'queue': query})}" if query else "", chosen.status == "all"),
        more=len(found.alerts) > PAGE,
        total=found.total,
        most=queue.MOST_COUNTED,
        page=page,
        chosen=chosen,
        campaign=campaign,
        query=query,
        link=lambda **changed: url_for("queue.show") + "?" + write_filter(chosen, **changed),
        names=found.names,
        severities=SEVERITIES,
        feature_options=_feature_options,
        act=uuid4(),
    )


def _rows(alerts: Sequence[Any], kept: str, everything: bool) -> list[Markup]:
    """The rows of the table; what they are kept by says nothing of the rest of the queue."""
    judges = person().may("reviewer")
    keys = [row._replace(total=None, names=None, reasons=tuple(row.reasons or ())) for row in alerts]
    return [_row(row, judges, alert_url(row.alert_id) + kept, everything) for row in keys]


@lru_cache(maxsize=2048)
def _row(row: Any, judges: bool, link: str, everything: bool) -> Markup:
    """A row of the table; after each verdict a reviewer sees the queue again, of which most is as it was."""
    shown: Markup = get_template_attribute("queue/row.html", "alert_row")(row, judges, link, everything)
    return shown


@cache
def _feature_options(chosen: str) -> Markup:
    """The choice of reasons to filter by; only a known one can be chosen."""
    option = Markup('<option value="{}"{}>{}</option>')
    words = (option.format(word, Markup(" selected") if word == chosen else "", feature(word)) for word in REASON_WORDS)
    return Markup('<option value="">any</option>') + Markup("").join(words)


@blueprint.post("/verdicts")
@allow("reviewer")
def judge() -> Response:
    """One verdict on the alerts, and on all open alerts of the campaigns, that were ticked."""
    form = request.form
    alerts = {alert: read_id(form.get(f"seen-{alert}")) for alert in _ids("alert")}
    for campaign in _ids("campaign"):
        alerts |= _members(campaign, form.get(f"seen-{campaign}", ""))
    if len(alerts) > MOST_AT_ONCE:
        abort(413)
    if alerts:
        take(alerts)
    elif not _ids("campaign"):
        flash("No alert was ticked.")
    return _back()


@blueprint.post("/undo")
@allow("reviewer")
def undo() -> Response:
    """Take back what one form decided, be it one verdict or many."""
    act = read_id(request.form.get("act"))
    reopened, others = jobs.undo(engine(), act, person().name, address(), now()) if act else ([], [])
    _tell_others(others)
    if len(reopened) == 1:
        flash("The verdict is undone; the alert is open again.")
        return redirect(url_for("alert.show", alert_id=reopened[0], queue=request.form.get("query") or None), 303)
    flash(f"{len(reopened):,} verdicts are undone; the alerts are open again." if reopened else "Nothing was undone.")
    return _back()


def take(alerts: Mapping[UUID, UUID | None]) -> int:
    """The verdict that the form names, on each of ``alerts`` (alert → latest verdict seen); says what became of it."""
    form, name = request.form, person().name
    act, word = read_id(form.get("act")) or uuid4(), form.get("verdict", "")
    reason, note = form.get("reason"), form.get("note")
    given = [Verdict(alert, word, name, reason, note, None, jobs.part_of(act, alert)) for alert in alerts]
    taken, others = jobs.decide_all(engine(), given, alerts, address(), now())
    if taken:
        tell(f"{taken:,} alert{'' if taken == 1 else 's'} {STATUS[word]}.", act)
    else:
        flash("Nothing was changed.")
    _tell_others(others)
    return taken


def tell(words: str, act: UUID) -> None:
    """Say what was decided, with the way back."""
    flash(words, f"undo-{act}")


def _tell_others(others: Sequence[Standing]) -> None:
    for name, count in Counter(alert.reviewer for alert in others).items():
        which = "one of them" if count == 1 else f"{count:,} of them"
        flash(f"{name} has judged {which} meanwhile; nothing of that was changed.", "conflict")


def _members(campaign: UUID, seen: str) -> dict[UUID, UUID | None]:
    """The open alerts of a campaign; none when it is not the one that was seen: nothing is judged unseen."""
    found = queue.open_of_campaign(store(), campaign)
    if not found.alerts:
        flash("No alert of this campaign is open any more.")
    elif found.members != seen:
        flash("This campaign has changed since you looked. Look at it again, then decide.", "conflict")
        return {}
    return found.alerts


def _ids(name: str) -> list[UUID]:
    found = (read_id(value) for value in request.form.getlist(name))
    return list(dict.fromkeys(one for one in found if one))


def _back() -> Response:
    return redirect(url_for("queue.show") + "?" + write_filter(filter_of(request.form.get("query", ""))), 303)


def filter_of(query: str) -> queue.Filter:
    """The filter that a query names."""
    return read_filter(dict(parse_qsl(query[:2_000])))


def _day(value: str | None, plus: timedelta = timedelta(0)) -> datetime | None:
    if not value:
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC) + plus
    except (ValueError, OverflowError):
        return None
