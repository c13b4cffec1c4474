"""How the monitor itself is doing: its model, its thresholds, its jobs."""

import math

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from monitor.jobs import rollback
from monitor.jobs.rollback import HOLD
from monitor.store import insight
from monitor.store.status import read_status
from web import charts
from web.policy import address, allow, engine, now, person, store

blueprint = Blueprint("insight", __name__)

DAYS = 30

#: Days that the alerts a day of another threshold are counted over.
WHAT_IF_DAYS = 14

#: Share of logins with a score of 2 and more, while the calibration holds: one in a hundred.
NOMINAL = 0.01


@blueprint.get("/model")
@allow("viewer")
def model() -> str:
    connection = store()
    models = insight.models(connection)
    newest = insight.newest_score(connection)
    histogram = insight.score_histogram(connection, newest, DAYS) if newest else []
    daily = insight.daily_shares(connection, newest, DAYS) if newest else []
    active = models[0] if models and models[0].status == "active" else None
    drift = insight.feature_drift(connection, active.model_id) if active and newest else []
    losses = active.metadata.get("losses", []) if active else []
    series = {
        name: [epoch[key] for epoch in losses if isinstance(epoch.get(key), int | float)]
        for name, key in (("training", "training"), ("held back", "held_back"))
    }
    return render_template(
        "insight/model.html",
        models=models,
        active=active,
        losses=losses,
        loss_chart=charts.lines({name: values for name, values in series.items() if values}, "Losses by epoch"),
        histogram=histogram,
        histogram_chart=charts.histogram(
            [(f"score {row.step / 4:.2f}, {row.logins:,} logins", math.log10(row.logins + 1)) for row in histogram],
            "Logins by score, as powers of ten",
        ),
        daily=daily,
        daily_chart=charts.days(
            [(row.day, row.share) for row in daily], "Share of logins with a score of 2 and more, by day", NOMINAL
        ),
        drift=drift,
        recalibrations=insight.recalibrations(connection),
        strongest=max((max(row.first or 0, row.latest or 0) for row in drift), default=1.0) or 1.0,
        days=DAYS,
    )


@blueprint.get("/thresholds")
@allow("viewer")
def thresholds() -> str:
    connection = store()
    rows = insight.thresholds(connection)
    quality = insight.quality(connection)
    history = [(row.decided_at, row.value) for row in reversed(rows)]
    asked = request.args.get("what", type=float)
    if asked is not None and not math.isfinite(asked):
        asked = None
    answer = insight.what_if(connection, asked, rows[0].offsets, WHAT_IF_DAYS) if rows and asked is not None else None
    return render_template(
        "insight/thresholds.html",
        thresholds=rows,
        asked=asked,
        answer=answer,
        proposal=insight.proposal(connection),
        days=WHAT_IF_DAYS,
        hold=HOLD.days,
        contradictions=insight.contradictions(connection),
        chart=charts.steps(history, now(), "The threshold over time"),
        quality=quality,
    )


@blueprint.post("/thresholds/<int:threshold_id>/rollback")
@allow("admin")
def roll_back(threshold_id: int) -> Response:
    """Return to an earlier threshold."""
    try:
        rollback.roll_back(engine(), threshold_id, person().name, address())
    except rollback.RollbackError:
        abort(404)
    flash(f"Threshold {threshold_id} is in force again, for {HOLD.days} days at least.")
    return redirect(url_for("insight.thresholds"), 303)


@blueprint.get("/status")
@allow("viewer")
def status() -> str:
    connection = store()
    found = read_status(connection)
    runs = insight.runs(connection)
    refused = insight.refused(connection)
    return render_template("insight/status.html", status=found, runs=runs, refused=refused, now=now())
