"""Alerts to be told, channels that tell them, and what was told."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from receivers import settings as channel_settings
from sqlalchemy import Engine, text
from written import execute

from monitor.channels import Notice
from monitor.channels.sender import Failure, Sender, deliver
from monitor.channels.settings import ChannelSettings
from monitor.store.engine import reading

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LONG = timedelta(days=1)


def open_alert(engine: Engine, severity: str = "high", user: str = "ada", **more: Any) -> UUID:
    account, alert = uuid4(), uuid4()
    execute(engine, "INSERT INTO monitor.account VALUES (:id, :user, 1, now())", id=account, user=user)
    values = {"score": 4.2, "status": "open", "campaign": None, "at": NOW} | more
    execute(
        engine,
        """
        INSERT INTO monitor.alert VALUES (:alert, :account, :at, :at, :score, :severity, :status, 'New device', 1,
            :campaign, false, :at, :at)
        """,
        alert=alert,
        account=account,
        severity=severity,
        **values,
    )
    return alert


def rows(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        query = """
            SELECT channel, kind, severity, status, attempts FROM reporting.delivery ORDER BY channel, decided_at, kind
        """
        return [tuple(row) for row in connection.execute(text(query))]


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def file_channel(file: Path, **more: Any) -> ChannelSettings:
    return channel_settings("jsonl", str(file)).model_copy(update={"name": "siem", **more})


class SenderInThisProcess(Sender):
    """Does without the process of its own, which test_sender.py tests: it takes a moment to start."""

    def send(self, notice: Notice) -> Failure | None:
        return deliver(self._settings, notice)
