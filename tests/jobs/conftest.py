"""Copies of one trained organisation."""

from collections.abc import Callable, Iterator

import pytest
from companies import Trained, score, trained_company
from sqlalchemy import Engine

from monitor.store.engine import open_url


@pytest.fixture(scope="session")
def trained(make_database: Callable[[str], str], template: str) -> Trained:
    return trained_company(make_database(template))


@pytest.fixture
def company(trained: Trained, make_database: Callable[[str], str]) -> Iterator[Engine]:
    """A copy of the trained database."""
    engine = open_url(make_database(trained.database))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def scored(trained: Trained, make_database: Callable[[str], str]) -> Iterator[Engine]:
    """The company after one pass, to be read only."""
    engine = open_url(make_database(trained.database))
    assert score(engine)["scored"] > 200
    yield engine
    engine.dispose()
