"""/healthz, /readyz and /metrics of the review pages, for machines.

Pages are of use while nothing is scored: they are ready when the database answers, whoever leads. Whoever may see a
page's address may see these two; the metrics need the token of the setting ``METRICS_TOKEN``. Where a request comes
from is no proof: behind a proxy on the same machine everybody comes from there.
"""

from hmac import compare_digest

from flask import Blueprint, Flask, Response, abort, current_app, request
from pydantic import SecretStr

from monitor.config import Settings
from monitor.health import database_problem
from monitor.health.metrics import exposition, registry
from web.policy import allow, engine

blueprint = Blueprint("probes", __name__)


def install(app: Flask, settings: Settings) -> None:
    app.extensions["monitor.metrics"] = registry(app.extensions["monitor"])
    app.extensions["monitor.metrics_token"] = settings.metrics_token
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
@allow("anyone")
def healthz() -> Response:
    return _plain("alive\n")


@blueprint.get("/readyz")
@allow("anyone")
def readyz() -> Response:
    # Why is for the log and for those who may sign in: it could tell a stranger about the database.
    return _plain("ready\n") if database_problem(engine()) is None else _plain("not ready\n", 503)


@blueprint.get("/metrics")
@allow("anyone")
def metrics() -> Response:
    """Compares the token in constant time; without one configured there is no such page."""
    token: SecretStr | None = current_app.extensions["monitor.metrics_token"]
    if token is None:
        abort(404)
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not compare_digest(given.encode(errors="replace"), token.get_secret_value().encode()):
        refusal = _plain("the token of MONITOR_METRICS_TOKEN is needed\n", 401)
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal
    body, kind = exposition(current_app.extensions["monitor.metrics"], request.headers.get("Accept", ""))
    return Response(body, content_type=kind)


def _plain(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
