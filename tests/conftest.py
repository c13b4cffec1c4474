"""A fresh, migrated PostgreSQL database for every test that asks for one: never a mock.

The server is the embedded one, or the one that ``MONITOR_TEST_DATABASE_URL`` names (its role must be allowed to create
databases and roles). The schema is migrated once into a template, which each test's database is a copy of.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, make_url, text

from monitor.config import Settings
from monitor.store.engine import open_url
from monitor.store.schema import upgrade
from monitor.store.server import EmbeddedServer

CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on a server, so that CI can run just that again on another one."""
    for item in items:
        if "server_url" in getattr(item, "fixturenames", ()):
            item.add_marker("database")


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The administrative database of the server under test."""
    given = os.environ.get("MONITOR_TEST_DATABASE_URL")
    if given is not None:
        yield given
        return
    with TemporaryDirectory(prefix="monitor-test-") as directory:
        server = EmbeddedServer(Path(directory), tuning=CARELESS)
        server.start()
        yield server.url("postgres")
        server.stop()


@pytest.fixture(scope="session")
def administrator(server_url: str) -> Iterator[Engine]:
    engine = open_url(server_url).execution_options(isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def make_database(administrator: Engine, server_url: str) -> Iterator[Callable[[str], str]]:
    """A function that copies a template into a new database and gives its URL; all are dropped at the end."""
    made: list[str] = []

    def make(template: str) -> str:
        name = f"monitor_test_{uuid4().hex}"
        with administrator.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'"))
        made.append(name)
        return make_url(server_url).set(database=name).render_as_string(hide_password=False)

    yield make
    with administrator.connect() as connection:
        for name in made:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def template(make_database: Callable[[str], str]) -> str:
    """The name of a database with the schema and no rows."""
    url = make_database("template0")
    engine = open_url(url)
    upgrade(engine)
    engine.dispose()  # a database with connections cannot be copied
    name = make_url(url).database
    assert name is not None
    return name


@pytest.fixture
def empty_database(make_database: Callable[[str], str], administrator: Engine) -> Iterator[Engine]:
    """A database without the schema."""
    yield from _opened(make_database("template0"), administrator)


@pytest.fixture
def database(make_database: Callable[[str], str], template: str, administrator: Engine) -> Iterator[Engine]:
    """A database with the schema and no rows."""
    yield from _opened(make_database(template), administrator)


def _opened(url: str, administrator: Engine) -> Iterator[Engine]:
    engine = open_url(url)
    yield engine
    engine.dispose()
    with administrator.connect() as connection:
        connection.execute(text(f"DROP DATABASE {engine.url.database} WITH (FORCE)"))


@pytest.fixture
def settings(database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Default settings on the test's database, whatever this machine's environment or ``monitor.toml`` say."""
    for name in os.environ:
        if name.startswith("MONITOR_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    url = database.url.render_as_string(hide_password=False)
    return Settings(database_url=SecretStr(url), data_dir=tmp_path / "data")
