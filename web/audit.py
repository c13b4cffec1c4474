"""The audit log, for administrators."""

from flask import Blueprint, render_template, request

from monitor.store import audit
from web.policy import allow, store

blueprint = Blueprint("audit", __name__)

PAGE = 100


@blueprint.get("/audit")
@allow("admin")
def show() -> str:
    actor, action = request.args.get("actor", "")[:200], request.args.get("action", "")[:100]
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < 2**63:
        before = None
    connection = store()
    rows = audit.entries(connection, PAGE + 1, before, actor or None, action or None)
    breaks = audit.breaks(connection)
    return render_template(
        "audit/show.html", entries=rows[:PAGE], more=len(rows) > PAGE, breaks=breaks, actor=actor, action=action
    )
