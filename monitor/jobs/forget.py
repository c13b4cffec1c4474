"""Erasure of one person on request (GDPR, article 17): ``monitor forget USER``.

One transaction, under the locks of scoring, training and storing: a pass that runs meanwhile finishes before, or finds
nothing afterwards. What stays is a receipt with a hash of the name; by it, what happened before is not taken in again
when an old file or a source's overlap brings it back. Later logins are those of a new account.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from sqlalchemy import Engine

from monitor import pseudonyms
from monitor.events import MonitorError, account_id
from monitor.store import audit, erasure
from monitor.store.engine import writing
from monitor.store.scores import lock_scoring


class ForgetError(MonitorError):
    """There is nobody to forget."""


@dataclass(frozen=True)
class Receipt:
    """What was erased: rows by table; ``kept`` still mention the name. ``account_id`` is the hash of the name."""

    erasure_id: UUID
    account_id: UUID
    forgotten_at: datetime
    counts: dict[str, int]
    kept: dict[str, int]
    before: list[datetime]


class _RolledBack(Exception):  # noqa: N818 (no error: the end of a rehearsal)
    """Takes back what a rehearsal did."""


def forget(engine: Engine, user: str, now: datetime, *, key: bytes | None = None, rehearse: bool = False) -> Receipt:
    """Erase everything about ``user``; with ``rehearse``, only say what that would be.

    With the ``key`` of pseudonyms it is the account of the name's pseudonym, and both are looked for in texts. Raises
    ``ForgetError`` when nothing is stored about them and they were never forgotten.
    """
    try:
        user = pseudonyms.as_written(user)
    except ValueError as reason:
        raise ForgetError(f"the name {reason}") from None
    names = [user] if key is None else [user, pseudonyms.user(key, user)]
    account = account_id(names[-1])
    asked = monotonic()
    try:
        with writing(engine) as connection:
            lock_scoring(connection, wait=True)
            deleted = erasure.delete_from_population(connection, account)  # the slow part, while events still come in
            erasure.hold_writers(connection)
            now += timedelta(seconds=monotonic() - asked)  # what came in while this waited is erased as well
            before = erasure.forgotten_before(connection, account)
            deleted |= erasure.delete_account(connection, account)
            mentions = erasure.delete_mentions(connection, names)
            counts = {
                name: deleted.get(name, 0) + mentions.get(name, 0)
                for name in sorted(deleted.keys() | mentions.keys())
                if deleted.get(name, 0) + mentions.get(name, 0)
            }
            if not counts and not before:
                raise ForgetError(f"nothing is stored about {user!r}; names are compared letter by letter")
            kept = erasure.count_kept(connection, names)
            receipt = Receipt(
                erasure.add_receipt(connection, account, now, counts, kept), account, now, counts, kept, before
            )
            audit.record(connection, "operator", "forget", str(account), dict(counts), audit.COMMAND_LINE)
            if rehearse:
                raise _RolledBack
    except _RolledBack:
        pass
    return receipt
