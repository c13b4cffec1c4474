"""The audit log, for administrators."""

from flask import Blueprint, render_template, request

from monitor.store import audit
from web.policy import allow, store

blueprint = Blueprint("audit", __name__)

PAGE = 100


@blueprint.get("/audit")
@allow("admin")
def show() -> str:
    """The rows of a page are checked whenever it is shown; the whole log, which takes its length, when asked for."""
    actor, action = request.args.get("actor", "")[:200], request.args.get("action", "")[:100]
    before, whole = request.args.get("before", type=int), "whole" in request.args
    if before is not None and not 0 < before < 2**63:
        before = None
    connection = store()
    rows = audit.entries(connection, PAGE + 1, before, actor or None, action or None)
    breaks = audit.breaks(connection, None if whole else [row.audit_id for row in rows[:PAGE]])
    return render_template(
        "audit/show.html", entries=rows[:PAGE], more=len(rows) > PAGE, breaks=breaks, whole=whole, actor=actor,
        action=action,
    )  # fmt: skip
