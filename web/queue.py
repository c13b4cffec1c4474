"""The queue: alerts by filter and order, kept in the address; one verdict for several at once."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4, uuid5

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from monitor.jobs.review import decide_all
from monitor.review import REASONS, SCOPES, STATUS, Verdict
from monitor.store import queue, reviewers
from web.policy import address, allow, engine, now, person, store
from web.shown import FEATURES

blueprint = Blueprint("queue", __name__)

PAGE = 40
MOST_AT_ONCE = 2_000
SEVERITIES = ("critical", "high", "medium", "low")
REASON_WORDS = sorted({*FEATURES, *SCOPES, "region", "browser", "weekday"} - {"ip"})


def read_filter(values: "MultiDict[str, str]") -> queue.Filter:
    """The filter that an address names; what makes no sense in it is left out."""
    status, sort = values.get("status", "open"), values.get("sort", "score")
    return queue.Filter(
        status=status if status in {*STATUS.values(), "all"} else "open",
        severity=values.get("severity", "") if values.get("severity") in SEVERITIES else "",
        account=values.get("account", "")[:200],
        reason=values.get("reason", "")[:100],
        assignee=values.get("assignee", "")[:100],
        campaign=read_id(values.get("campaign")),
        since=_day(values.get("since")),
        until=_day(values.get("until"), timedelta(days=1)),
        sort=sort if sort in queue.SORTS else "score",
    )


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
    chosen = read_filter(request.args)
    page = min(max(request.args.get("page", 1, type=int), 1), 10_000)
    connection = store()
    rows = queue.alerts(connection, chosen, PAGE + 1, (page - 1) * PAGE)
    total = queue.count_alerts(connection, chosen)
    names = reviewers.active_names(connection)
    return render_template(
        "queue/show.html",
        alerts=rows[:PAGE],
        more=len(rows) > PAGE,
        total=total,
        most=queue.MOST_COUNTED,
        page=page,
        chosen=chosen,
        query=write_filter(chosen),
        link=lambda **changed: url_for("queue.show") + "?" + write_filter(chosen, **changed),
        names=names,
        severities=SEVERITIES,
        features=REASON_WORDS,
        reasons=REASONS,
        act=uuid4(),
    )


@blueprint.post("/verdicts")
@allow("reviewer")
def judge() -> Response:
    """One verdict on the alerts that were ticked."""
    wanted = [read_id(value) for value in request.form.getlist("alert")]
    alerts = list(dict.fromkeys(alert for alert in wanted if alert))
    if len(alerts) > MOST_AT_ONCE:
        abort(413)
    seen = {alert: read_id(request.form.get(f"seen-{alert}")) for alert in alerts}
    if not alerts:
        flash("No alert was ticked.")
    else:
        _judge(alerts, seen)
    return _back()


@blueprint.post("/campaigns/<uuid:campaign>/verdict")
@allow("reviewer")
def judge_campaign(campaign: UUID) -> Response:
    """One verdict on every alert of a campaign that is still open."""
    connection = store()
    seen = queue.open_of_campaign(connection, campaign)
    if seen:
        _judge(list(seen), seen)
    else:
        flash("No alert of this campaign is open any more.")
    return _back()


def _judge(alerts: list[UUID], seen: dict[UUID, UUID | None]) -> None:
    form = request.form
    act, word = read_id(form.get("act")), form.get("verdict", "")
    given = [
        Verdict(
            alert,
            word,
            person().name,
            form.get("reason"),
            form.get("note"),
            None,
            uuid5(act, alert.hex) if act else None,
        )
        for alert in alerts
    ]
    taken, others = decide_all(engine(), given, seen, address(), now())
    flash(f"{taken} alert{'' if taken == 1 else 's'} {STATUS[word]}." if taken else "Nothing was changed.")
    for alert in others[:20]:
        flash(f"{alert.reviewer} has judged one of them meanwhile ({alert.status}); it stays as it is.", "conflict")


def _back() -> Response:
    return redirect(url_for("queue.show") + "?" + write_filter(filter_of(request.form.get("query", ""))), 303)


def filter_of(query: str) -> queue.Filter:
    """The filter that a query names."""
    return read_filter(MultiDict(parse_qsl(query[:2_000])))


def _day(value: str | None, plus: timedelta = timedelta(0)) -> datetime | None:
    try:
        return datetime.strptime(value or "", "%Y-%m-%d").replace(tzinfo=UTC) + plus
    except (ValueError, OverflowError):
        return None
