"""The review pages: what was odd beside what is usual, and a reviewer's verdict on it.

One blueprint a file; ``templates/`` mirrors them. Every page is rendered here and works without JavaScript.
"""

from datetime import timedelta

from flask import Flask
from flask_wtf import CSRFProtect
from sqlalchemy import Engine

from monitor.config import Settings
from monitor.store.engine import connect, limited, reading
from monitor.store.reviewers import web_secret
from monitor.store.schema import require_schema
from monitor.vault import Vault
from web import account, alert, audit, errors, export, headers, insight, policy, probes, queue, rows, shown, sign_in

#: The database role of the pages: it reads, and writes verdicts, comments, scopes, sessions and audit rows only.
ROLE = "monitor_web"

#: A statement that takes longer than this is cancelled: one page must not hold up the others.
STATEMENT_SECONDS = 10.0

#: Forms are small; nothing is uploaded.
LARGEST_REQUEST = 256 * 1024


def create_app(settings: Settings, engine: Engine | None = None) -> Flask:
    """The application on the configured database, or on ``engine``, which it then owns."""
    engine = engine or connect(settings, ping=False)
    require_schema(engine)
    limited(engine, ROLE, STATEMENT_SECONDS)
    with reading(engine) as connection:
        secret = web_secret(connection)
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME="monitor",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.web_https,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        SESSION_REFRESH_EACH_REQUEST=False,  # the server knows when a session ends
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session, which signing in and out changes
        WTF_CSRF_SSL_STRICT=False,  # SameSite cookies and the token do this; strict proxies strip the Referer
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.extensions["monitor"] = engine
    app.extensions["monitor.vault"] = Vault(settings.key_file)
    CSRFProtect(app)
    for part in (headers, errors, policy, shown, rows):
        part.install(app)
    for page in (sign_in, queue, alert, account, insight, audit, export):
        app.register_blueprint(page.blueprint)
    probes.install(app, settings)
    return app
