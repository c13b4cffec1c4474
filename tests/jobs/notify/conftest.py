"""Channels that write to a file of the test's own and to an HTTP server of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from receivers import HttpReceiver, http_receiver
from receivers import settings as channel_settings
from telling import SenderInThisProcess, file_channel

from monitor.config import Settings
from monitor.jobs import notify


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "Sender", SenderInThisProcess)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "alerts.jsonl"


@pytest.fixture
def with_file(settings: Settings, told: Path) -> Settings:
    return settings.model_copy(update={"channels": [file_channel(told)]})


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def with_hook(settings: Settings, http: HttpReceiver) -> Settings:
    hook = channel_settings("webhook", http.url, allow_private=True).model_copy(update={"name": "hook"})
    return settings.model_copy(update={"channels": [hook]})
