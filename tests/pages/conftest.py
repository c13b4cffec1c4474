"""The review pages on a database of their own, and browsers of people in every role."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import staged
from browsing import Browser, Get, add_people, sign_in
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import Engine, text

from monitor.config import Settings
from monitor.store.engine import open_url, writing
from monitor.store.reviewers import change_reviewer
from web import create_app


@pytest.fixture(scope="module")
def store(make_database: Callable[[str], str], template: str) -> Iterator[Engine]:
    """The organisation's database, as its owner."""
    engine = open_url(make_database(template))
    now = datetime.now(UTC)
    with writing(engine) as connection:
        staged.build(connection)
        add_people(connection, now)
        change_reviewer(connection, "dora", disabled_at=now)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def app(store: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    url = store.url.render_as_string(hide_password=False)
    made = create_app(Settings(database_url=SecretStr(url), data_dir=tmp_path_factory.mktemp("data")))
    yield made
    made.extensions["monitor"].dispose()


@pytest.fixture
def clean(store: Engine) -> None:
    """Every alert is open again, and nothing was said."""
    with writing(store) as connection:
        for table in ("review", "comment", "assignment", "scoped_dismissal", "sign_in_try"):
            connection.execute(text(f"DELETE FROM monitor.{table}"))
        connection.execute(text("UPDATE monitor.alert SET status = 'open'"))


@pytest.fixture
def browser(app: Flask, store: Engine) -> Get:
    """A function that gives the signed-in browser of a person, or nobody's (None)."""

    def of(name: str | None) -> Browser:
        made = Browser(app.test_client())
        if name is not None:
            now = datetime.now(UTC)
            with writing(store) as connection:
                sign_in(connection, made.client, name, now)
        made.get("/sign-in" if name in (None, "dora") else "/password")
        return made

    return of
