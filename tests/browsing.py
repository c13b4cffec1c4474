"""A browser without a window, and people in every role."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask.testing import FlaskClient
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from monitor.jobs.sign_in import open_session
from monitor.store.reviewers import add_reviewer, change_reviewer

PEOPLE = {"vera": "viewer", "ron": "reviewer", "rita": "reviewer", "alma": "admin", "dora": "admin"}  # dora is disabled


def add_people(
    connection: Connection, now: datetime, secret: str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", hashed: str = "none"
) -> None:
    for name, role in PEOPLE.items():
        add_reviewer(connection, name, {"role": role, "password_hash": hashed, "totp_secret": secret}, now)
        change_reviewer(connection, name, must_change=False)


def sign_in(connection: Connection, client: FlaskClient, name: str, now: datetime) -> None:
    """Let a client hold a session of somebody, without the cost of a password."""
    token = open_session(connection, name, "192.0.2.1", now)
    with client.session_transaction() as session:
        session["token"] = token


@dataclass
class Browser:
    """A client that reads the form token off the last page, as a browser does."""

    client: FlaskClient
    token: str = ""

    def get(self, path: str) -> TestResponse:
        return self._seen(self.client.get(path))

    def post(self, path: str, **form: object) -> TestResponse:
        data = {"csrf_token": self.token} | {name: value for name, value in form.items() if value is not None}
        return self._seen(self.client.post(path, data=data))

    def _seen(self, response: TestResponse) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([^"]+)"', response.text)
        self.token = found[1] if found else self.token
        return response


#: Gives the signed-in browser of a person, or nobody's (None).
Get = Callable[[str | None], Browser]
