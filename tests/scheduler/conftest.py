"""A scheduler that takes over soon."""

import pytest

from monitor.config import Settings


@pytest.fixture
def quick(settings: Settings) -> Settings:
    return settings.model_copy(update={"lease_seconds": 1.0})
