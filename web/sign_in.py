"""Signing in and out, and one's own password."""

from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from monitor.credentials import PasswordError
from monitor.jobs import sign_in as jobs
from web.policy import address, allow, engine, now, person

blueprint = Blueprint("sign_in", __name__)

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


@blueprint.get("/sign-in")
@allow("anyone")
def enter() -> Answer:
    return render_template("sign_in/enter.html", next=_local(request.args.get("next", "")))


@blueprint.post("/sign-in")
@allow("anyone")
def entered() -> Answer:
    form, target = request.form, _local(request.form.get("next", ""))
    try:
        token = jobs.sign_in(
            engine(), current_app.extensions["monitor.vault"], form.get("name", ""), form.get("password", ""),
            form.get("code", ""), address(), now(),
        )  # fmt: skip
    except jobs.SignInError as error:
        page = render_template("sign_in/enter.html", next=target, problem=str(error), name=form.get("name", "")[:100])
        if error.retry_seconds:
            return page, 429, {"Retry-After": str(error.retry_seconds)}
        return page, 401
    _hold(token)
    return redirect(target or url_for("queue.show"), 303)


@blueprint.post("/sign-out")
@allow("viewer")
def leave() -> Answer:
    jobs.sign_out(engine(), session["token"], person().name, address())
    session.clear()
    return redirect(url_for("sign_in.enter"), 303)


@blueprint.route("/password", methods=["GET", "POST"])
@allow("viewer")
def password() -> Answer:
    if request.method == "GET":
        return render_template("sign_in/password.html")
    form = request.form
    try:
        if form.get("new") != form.get("again"):
            raise PasswordError("the new password was not repeated the same")
        token = jobs.change_password(
            engine(), person().name, form.get("old", ""), form.get("new", ""), address(), now()
        )
    except (jobs.SignInError, PasswordError) as error:
        return render_template("sign_in/password.html", problem=str(error)), 400
    _hold(token)
    flash("Your password has changed; all your other sessions have ended.")
    return redirect(url_for("queue.show"), 303)


def _hold(token: str) -> None:
    """Start a session of the browser afresh: nothing from before carries over, the form token least of all."""
    session.clear()
    session["token"] = token
    session.permanent = True


def _local(target: str) -> str:
    """A path of this site to go to after signing in; anything else is dropped."""
    parts = urlsplit(target)
    local = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if local and len(target) < 2_000 and target.isprintable() else ""
