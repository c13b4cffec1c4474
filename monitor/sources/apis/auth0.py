"""The logs of an Auth0 tenant (GET /api/v2/logs), by checkpoint: in the order of their log ids.

Auth0, "Retrieve logs using the Management API": after the first request each follows the next link of the one before.
A search can only find the first log to begin with, since it ends after a thousand.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

from monitor.sources.apis.base import Access, Page, Start, following, resumed
from monitor.sources.http import Answer, ApiError, Bearer, Client, rfc3339

_LOGS = "/api/v2/logs"


def read(access: Access, start: Start) -> Iterator[Page]:
    """All logs, in the order of their arrival."""
    client = Client(access.url, Bearer(lambda: _token(access)))
    position = start.position
    if position is None:
        query = {"q": f'date:["{rfc3339(start.since)}" TO *]', "sort": "date:1", "per_page": "1", "page": "0"}
        first = client.get(_LOGS, query).list_at()
        if not first:
            return
        log_id = Answer(first[0]).at("log_id")
        if not isinstance(log_id, str):
            raise ApiError("its logs have no log_id: is the url that of an Auth0 tenant?")
        position = f"{_LOGS}?{urlencode({'from': log_id, 'take': '100'})}"
        yield Page(first, position=position)
    yield from following(client, resumed(client, position), position)


def _token(access: Access) -> Answer:
    """A token for the Management API by client credentials; the client needs the permission read:logs alone."""
    return Client(access.url).post(
        "/oauth/token",
        {
            "grant_type": "client_credentials",
            "client_id": access.client_id,
            "client_secret": access.secret,
            "audience": f"{access.url.rstrip('/')}/api/v2/",
        },
    )
