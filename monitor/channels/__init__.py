"""Channels: where alerts are told. The decision to tell is a row; a channel only sends.

To add a channel, write a module with a class that is made from its ``ChannelSettings`` and sends one notice, and name
it in ``REGISTRY``. When to tell, leases, repeats with the same key, quiet hours, back-off and giving up come with
``monitor.jobs.notify``; a process of its own with a deadline and the ban on private addresses with ``sender``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any, Literal, Protocol
from uuid import UUID

from monitor.channels.settings import ChannelSettings

Kind = Literal["opened", "worsened", "test"]


@dataclass(frozen=True)
class AlertNotice:
    """An alert that opened or worsened, as it stands when this is sent.

    ``key`` is the same whenever this notice is sent again (an idempotency key). ``severity`` is the one it tells of.
    ``accounts`` counts those of the alert's campaign, 1 without one. ``event`` has the canonical columns of the oddest
    login that has any, ``reasons`` why that one is odd: feature, contribution, observed, usual; the strongest first.
    ``link`` leads to the review pages, where their address is configured.
    """

    key: UUID
    kind: Kind
    decided_at: datetime
    alert_id: UUID
    user_name: str
    severity: str
    status: str
    score: float
    headline: str
    event_count: int
    opened_at: datetime
    last_event_at: datetime
    campaign_id: UUID | None = None
    accounts: int = 1
    event: Mapping[str, Any] = field(default_factory=dict)
    reasons: Sequence[Mapping[str, Any]] = ()
    link: str | None = None


@dataclass(frozen=True)
class DigestLine:
    """One alert in a digest, or the worst of a campaign over ``accounts``."""

    alert_id: UUID
    user_name: str
    severity: str
    status: str
    score: float
    headline: str
    accounts: int


@dataclass(frozen=True)
class DigestNotice:
    """What opened in [since, until): campaigns count as one. ``waiting`` are all that nobody has judged yet."""

    key: UUID
    decided_at: datetime
    since: datetime
    until: datetime
    opened: Mapping[str, int]
    waiting: int
    worst: Sequence[DigestLine]
    link: str | None = None


Notice = AlertNotice | DigestNotice


class ChannelError(Exception):
    """The notice did not arrive. ``final``: it never will; ``wait_seconds``: what the other side asked for."""

    def __init__(self, reason: str, *, final: bool = False, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.final, self.wait_seconds = final, wait_seconds


class Channel(Protocol):
    """Sends one notice, or raises ``ChannelError`` (or ``OSError``) with the reason.

    ``public_only``: it may connect to public addresses alone, unless the operator allows private ones.
    """

    public_only: bool

    def send(self, notice: Notice) -> None: ...


#: Kind → module:class, made from the channel's settings. Imported when used.
REGISTRY: dict[str, str] = {
    "apprise": "monitor.channels.apprise:Apprise",
    "webhook": "monitor.channels.webhook:Webhook",
    "jsonl": "monitor.channels.files:JsonLines",
    "ocsf": "monitor.channels.files:OcsfLines",
    "syslog": "monitor.channels.syslog:Syslog",
}


def channel(settings: ChannelSettings) -> Channel:
    """The channel that these settings describe; ``ChannelError`` where its target is none."""
    module, name = REGISTRY[settings.kind].split(":")
    make: Callable[[ChannelSettings], Channel] = getattr(import_module(module), name)
    return make(settings)


def cause(error: BaseException) -> str:
    """Why something failed, in the system's words: without the URL that libraries put in, which may hold a secret."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        if isinstance(found, TimeoutError):
            return "timed out"
        found = found.__cause__ or found.__context__
    return type(error).__name__
