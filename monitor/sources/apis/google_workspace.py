"""Logins of Google Workspace (Reports API, activities of the application "login").

They come newest first, and up to hours late; hence windows of time. A service account with domain-wide delegation for
one scope asks in the name of an administrator (RFC 7523).
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from monitor.sources.apis.assertions import signed
from monitor.sources.apis.base import Access, Page, Start, listed, windows
from monitor.sources.http import Answer, ApiError, Bearer, Client, rfc3339

KEPT = timedelta(days=179)  # Google keeps 180 days
REPORTS = "https://admin.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
_LOGINS = "/admin/reports/v1/activity/users/all/applications/login"
_KEY = ("client_email", "private_key", "private_key_id", "token_uri")


def read(access: Access, start: Start) -> Iterator[Page]:
    """Activities, window by window."""
    client = Client(access.url or REPORTS, Bearer(lambda: _token(access)))
    for begin, end in windows(start, KEPT):
        yield from listed(partial(_page, client, {"startTime": rfc3339(begin), "endTime": rfc3339(end)}), end)


def _page(client: Client, span: dict[str, str], token: str | None) -> tuple[list[Any], Any]:
    answer = client.get(_LOGINS, {**span, "maxResults": "1000"} | ({"pageToken": token} if token else {}))
    nothing = answer.at("items") is None and answer.at("kind") == "admin#reports#activities"
    return [] if nothing else answer.list_at("items"), answer.at("nextPageToken")


def _token(access: Access) -> Answer:
    key = _key(access.secret)
    claims = {"iss": key["client_email"], "sub": access.subject, "scope": SCOPE, "aud": key["token_uri"]}
    assertion = signed(claims, key["private_key"], key["private_key_id"])
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    return Client(key["token_uri"]).post(key["token_uri"], form)


def _key(secret: str) -> dict[str, str]:
    """The key file of a service account, as Google hands it out."""
    try:
        key = json.loads(secret)
        return {name: str(key[name]) for name in _KEY}
    except (ValueError, TypeError, KeyError):
        raise ApiError("its secret is not the JSON key file of a service account") from None
