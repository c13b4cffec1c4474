"""Channels: where alerts are told. The decision to tell is a row; a channel only sends.

To add a channel, write a module with a function that makes a ``Channel`` from a target and name it in ``REGISTRY``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Notice:
    """An alert that opened or worsened. ``key`` is the same whenever this notice is sent again."""

    key: str
    alert_id: UUID
    user_name: str
    severity: str
    score: float
    headline: str
    event_count: int
    opened_at: datetime
    last_event_at: datetime


class Channel(Protocol):
    """Sends one notice, or raises ``ChannelError`` (or ``OSError``) with the reason."""

    def send(self, notice: Notice) -> None: ...


class ChannelError(Exception):
    """The notice did not arrive."""


#: Kind → module:function that makes a channel from its target. Imported when used.
REGISTRY: dict[str, str] = {
    "jsonl": "monitor.channels.jsonl:JsonLines",
    "apprise": "monitor.channels.apprise:Apprise",
}


def channel(kind: str, target: str) -> Channel:
    """The channel of that kind; ``KeyError`` for an unknown one."""
    module, name = REGISTRY[kind].split(":")
    make: Callable[[str], Channel] = getattr(import_module(module), name)
    return make(target)
