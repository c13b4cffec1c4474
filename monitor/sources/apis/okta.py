"""The Okta System Log (GET /api/v1/logs), polled: without an end, and in the order in which Okta stored the events.

Okta, "System Log query", polling requests: the answer always has a next link, which leads to what comes later.
"""

from collections.abc import Iterator
from functools import partial

from requests import PreparedRequest

from monitor.sources.apis.assertions import signed
from monitor.sources.apis.base import Access, Page, Start, following, resumed
from monitor.sources.http import Answer, Authorise, Bearer, Client, rfc3339

LOGINS = 'eventType sw "user.session" or eventType sw "user.authentication"'


def read(access: Access, start: Start) -> Iterator[Page]:
    """Events of sign-ins, in the order of their arrival."""
    client = Client(access.url, _authorise(access))
    if start.position:
        answer = resumed(client, start.position)
    else:
        query = {"since": rfc3339(start.since), "sortOrder": "ASCENDING", "limit": "1000", "filter": LOGINS}
        answer = client.get("/api/v1/logs", query)
    yield from following(client, answer, start.position)


def _authorise(access: Access) -> Authorise:
    """An API token; or, given a client, a token of an OAuth service app that may do nothing but read logs."""
    return Bearer(lambda: _token(access)) if access.client_id else partial(_with_token, access.secret)


def _with_token(token: str, request: PreparedRequest) -> PreparedRequest:
    request.headers["Authorization"] = f"SSWS {token}"
    return request


def _token(access: Access) -> Answer:
    client = Client(access.url)
    audience = f"{access.url.rstrip('/')}/oauth2/v1/token"
    claims = {"iss": access.client_id, "sub": access.client_id, "aud": audience}
    return client.post(
        "/oauth2/v1/token",
        {
            "grant_type": "client_credentials",
            "scope": "okta.logs.read",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": signed(claims, access.secret),
        },
    )
