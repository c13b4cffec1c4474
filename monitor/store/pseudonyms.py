"""With which key the names in this database were made pseudonyms: all with one, or none."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from monitor.events import MonitorError
from monitor.store import tables


class PseudonymKeyError(MonitorError):
    """The key is not the one that this database was filled with."""


def agree(connection: Connection, fingerprint: bytes | None) -> None:
    """Raise ``PseudonymKeyError`` unless names are stored just so; the first key in an empty database is its key.

    Otherwise one person would become two accounts, each new to the other's habits.
    """
    table = tables.pseudonym_key
    if fingerprint is not None and connection.execute(select(tables.account.c.account_id).limit(1)).first() is None:
        connection.execute(insert(table).values(fingerprint=fingerprint).on_conflict_do_nothing())
    known = connection.scalar(select(table.c.fingerprint))
    if known == fingerprint:
        return
    if known is None:
        raise PseudonymKeyError("this database holds names as they are; pseudonyms need one that is empty")
    if fingerprint is None:
        raise PseudonymKeyError("this database holds pseudonyms; MONITOR_PSEUDONYM_KEY_FILE must name their key")
    raise PseudonymKeyError("MONITOR_PSEUDONYM_KEY_FILE holds another key than the one of this database")
