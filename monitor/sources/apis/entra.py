"""Sign-ins of Microsoft Entra ID, from Microsoft Graph (GET /v1.0/auditLogs/signIns).

They come newest first, and may come late; hence windows of time. Graph's v1.0 has the interactive sign-ins.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from monitor.sources.apis.base import Access, Page, Start, listed, windows
from monitor.sources.http import Answer, Bearer, Client, rfc3339

GRAPH = "https://graph.microsoft.com"
SIGN_IN = "https://login.microsoftonline.com"
_SIGN_INS = "/v1.0/auditLogs/signIns"


def read(access: Access, start: Start) -> Iterator[Page]:
    """Sign-ins, window by window."""
    client = Client(access.url or GRAPH, Bearer(lambda: _token(access)))
    for begin, end in windows(start):
        span = f"createdDateTime ge {rfc3339(begin)} and createdDateTime le {rfc3339(end)}"
        yield from listed(partial(_page, client, span), end)


def _page(client: Client, span: str, link: str | None) -> tuple[list[Any], Any]:
    answer = client.get(link) if link else client.get(_SIGN_INS, {"$filter": span, "$top": "1000"})
    return answer.list_at("value"), answer.at("@odata.nextLink")


def _token(access: Access) -> Answer:
    """A token by client credentials; the application needs the permission AuditLog.Read.All alone."""
    graph = access.url or GRAPH
    # A Graph elsewhere (a national cloud, a proxy) names its own sign-in in the tenant: https://host/tenant.
    host, _, tenant = access.tenant.rpartition("/")
    return Client(host or SIGN_IN).post(
        f"/{quote(tenant, safe='')}/oauth2/v2.0/token",
        {
            "grant_type": "client_credentials",
            "client_id": access.client_id,
            "client_secret": access.secret,
            "scope": f"{graph.rstrip('/')}/.default",
        },
    )
