"""Logins in Keycloak's own database (PostgreSQL): the table ``event_entity``, filled where a realm saves its events.

``details_json`` is text that may be cut short or hold what no database would take for JSON (who logs in chooses a part
of it), so it is read here and not by SQL. Later versions keep it in ``details_json_long_value``.
"""

from collections.abc import Iterator, Sequence
from io import BufferedIOBase

from monitor.sources.base import Options, RawChunk
from monitor.sources.json_records import parsed
from monitor.sources.keycloak import KEYCLOAK
from monitor.sources.table import BadRow, rows

#: `event_time` is milliseconds since 1970, and compared as such: its index (realm_id, event_time) serves.
QUERY = """
SELECT to_timestamp(event.event_time / 1000.0) AS occurred_at, event.id, event.type, event.client_id, event.user_id,
       event.ip_address, member.username, coalesce(to_jsonb(event) ->> 'details_json_long_value', event.details_json)
FROM event_entity AS event
LEFT JOIN user_entity AS member ON member.id = event.user_id
WHERE event.realm_id IN (SELECT id FROM realm) AND event.type IN ('LOGIN', 'LOGIN_ERROR')
  AND event.event_time >= (extract(epoch FROM :since) * 1000)::bigint
"""


def check_columns(columns: Sequence[tuple[str, str]]) -> None:
    """Nothing to refuse: the query is our own, and a database without its tables has said so before."""


def read(stream: BufferedIOBase) -> Iterator[RawChunk]:
    """Chunks of the query's result, which comes as CSV with a header."""
    return KEYCLOAK.from_values(_events(stream), Options())


def _events(stream: BufferedIOBase) -> Iterator[object]:
    for part in rows(stream):
        if isinstance(part, BadRow):
            yield part.record
            continue
        for line, fields in zip(part.lines, part.fields, strict=True):
            if line > 1:
                yield _event(*fields)


def _event(
    time: str, event_id: str, kind: str, client: str, user_id: str, address: str, username: str, details: str
) -> dict[str, object]:
    """An event as Keycloak's API gives it. The account's own name counts before the one that was typed, if it has one:
    a person may type a name today and an address tomorrow."""
    said = parsed(details)
    known = said if isinstance(said, dict) else {}
    return {
        "id": event_id,
        "time": time,
        "type": kind,
        "clientId": client,
        "userId": user_id,
        "ipAddress": address,
        "details": known | ({"username": username} if username else {}),
    }
