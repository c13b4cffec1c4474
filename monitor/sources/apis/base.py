"""What the API of a provider is to a pull: pages of records, as its own exports write them.

There are two kinds. Some give a *position* in their log, ordered by when they stored an event: to go on from there
misses nothing, however late an event came. The others can only be asked for a time; they are asked window by window,
oldest first, and each pull begins an overlap before the end of the last one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from monitor.sources.http import Answer, ApiError, Client, RefusedError

WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class Access:
    """Where a provider's API is, and what lets the monitor in. ``repr`` does not show the secret."""

    url: str
    secret: str
    client_id: str = ""
    tenant: str = ""
    subject: str = ""

    def __repr__(self) -> str:
        return f"Access({self.url!r})"


@dataclass(frozen=True)
class Start:
    """Where to begin: at the ``position`` of the last pull, or at the time ``since``; ``now`` is the end."""

    since: datetime
    now: datetime
    position: str | None = None


@dataclass(frozen=True)
class Page:
    """Some records, and how far they lead: to a ``position``, or ``through`` a time; to neither amid a listing."""

    records: Sequence[Any]
    position: str | None = None
    through: datetime | None = None


class Api(Protocol):
    """Yields what is new, page by page; raises ``ApiError``. A position that is known no more is a ``PositionLost``."""

    def __call__(self, access: Access, start: Start) -> Iterator[Page]: ...


class PositionLostError(ApiError):
    """The provider no longer knows the position at which the last pull ended."""


def resumed(client: Client, position: str) -> Answer:
    """The page at a stored position."""
    try:
        return client.get(position)
    except RefusedError as error:
        if error.status in (400, 404, 410):
            raise PositionLostError(str(error)) from None
        raise


def following(client: Client, answer: Answer, position: str | None) -> Iterator[Page]:
    """This answer and all that its links lead to; the last link, to what is yet to come, is the position."""
    while True:
        records, onward = answer.list_at(), answer.next or position
        yield Page(records, position=onward)
        if not records or onward is None or onward == position:
            return
        position, answer = onward, client.get(onward)


def windows(start: Start, kept: timedelta = timedelta.max) -> Iterator[tuple[datetime, datetime]]:
    """The time from ``since`` until ``now`` in pieces of a day, oldest first; what breaks off loses one piece.

    A provider refuses to be asked for more than it has ``kept``.
    """
    begin = max(start.since, start.now - kept) if kept < timedelta.max else start.since
    while begin < start.now:
        end = min(begin + WINDOW, start.now)
        yield begin, end
        begin = end


#: Gives the records of a page and what leads to the next one: None leads to the first, and from the last.
Ask = Callable[[Any], tuple[Sequence[Any], Any]]


def listed(ask: Ask, end: datetime) -> Iterator[Page]:
    """All pages of a window that ends at ``end``."""
    more = None
    while True:
        records, onward = ask(more)
        yield Page(records, through=None if onward else end)
        if not onward:
            return
        if onward == more:
            raise ApiError("its pages lead to themselves")
        more = onward
