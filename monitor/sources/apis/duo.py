"""Authentication logs of Duo (GET /admin/v2/logs/authentication), every request signed.

Duo, "Admin API": events appear two minutes late, and are asked for by time in milliseconds. The signature (version 5)
is an HMAC-SHA512 over date, method, host, path, parameters, body and headers.
"""

import base64
import hmac
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import formatdate
from functools import partial
from hashlib import sha512
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from requests import PreparedRequest

from monitor.sources.apis.base import Access, Page, Start, listed, windows
from monitor.sources.http import Client

KEPT = timedelta(days=179)  # Duo keeps 180 days
_NOTHING = sha512(b"").hexdigest()  # of an empty body, and of no headers beginning with X-Duo


def read(access: Access, start: Start) -> Iterator[Page]:
    """Authentications, window by window."""
    client = Client(access.url, lambda request: signed(request, access.client_id, access.secret))
    for begin, end in windows(start, KEPT):
        yield from listed(partial(_page, client, {"mintime": _milliseconds(begin), "maxtime": _milliseconds(end)}), end)


def _page(client: Client, span: dict[str, str], offset: list[Any] | str | None) -> tuple[list[Any], Any]:
    query = {**span, "limit": "1000", "sort": "ts:asc"}
    if offset:
        query["next_offset"] = ",".join(map(str, offset)) if isinstance(offset, list) else offset
    answer = client.get("/admin/v2/logs/authentication", query)
    return answer.list_at("response", "authlogs"), answer.at("response", "metadata", "next_offset")


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


def signed(request: PreparedRequest, integration_key: str, secret_key: str, date: str | None = None) -> PreparedRequest:
    """Sign a GET for this moment, or for a ``date`` (RFC 5322)."""
    date = date or formatdate()
    target = urlsplit(str(request.url))
    parameters = sorted((quote(name, "~"), quote(value, "~")) for name, value in parse_qsl(target.query))
    canonical = [
        date,
        str(request.method).upper(),
        target.netloc.lower(),
        target.path,
        "&".join(f"{name}={value}" for name, value in parameters),
        _NOTHING,
        _NOTHING,
    ]
    signature = hmac.new(secret_key.encode(), "\n".join(canonical).encode(), sha512).hexdigest()
    credentials = base64.b64encode(f"{integration_key}:{signature}".encode()).decode()
    request.headers.update({"Date": date, "Authorization": f"Basic {credentials}"})
    return request
