"""Asking the HTTP API of a provider: patient with its limits, and careful with what it answers.

Credentials go to the configured origin and nowhere else: redirects are not followed, and a link to the next page must
stay on that origin. An answer is read only so far, in only so much time. What may pass (429, 5xx, a broken connection)
is tried again, after as long as the provider asks for; anything else is an ``ApiError`` that says what to do.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urljoin, urlsplit

import requests
from requests import PreparedRequest, Response
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from monitor.events import MonitorError
from monitor.fields import shown

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
ANSWER_SECONDS = 300.0  # for one whole answer, however slowly it drips
MAX_BYTES = 64 * 2**20  # of one answer, unpacked
TRIES = 5
LONGEST_WAIT = 90.0  # seconds; who asks for more is asked again at the next pull
_BLOCK = 2**16

#: Signs a request, or adds a token to it.
Authorise: TypeAlias = Callable[[PreparedRequest], PreparedRequest]


class ApiError(MonitorError):
    """A provider's API cannot be used; the message says why, and what to do."""


class RefusedError(ApiError):
    """The provider understood the request and refused it, with this HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _PassingError(Exception):
    """What may be over in a moment; ``seconds`` is when, if the provider said so."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True)
class Answer:
    """A JSON ``body``, and the ``next`` link of the header (RFC 8288), relative to the origin, if there is one."""

    body: Any
    next: str | None = None

    def at(self, *path: str) -> Any:
        """What stands at these keys of the body; None if nothing does."""
        value = self.body
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def list_at(self, *path: str) -> list[Any]:
        """The list at these keys. Whatever else is there is no empty list: a pull would think itself at the end."""
        value = self.at(*path)
        if not isinstance(value, list):
            raise ApiError(f"its answer has no list {'.'.join(path) or 'of records'}: is the url that of its API?")
        return value


class Client:
    """One API at ``url`` (https, or plain http on this very machine); every request is given to ``authorise``."""

    def __init__(self, url: str, authorise: Authorise = lambda request: request) -> None:
        self._origin = _origin(url)
        self._authorise = authorise
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "login-anomaly-monitor"
        self._patience = Retrying(
            retry=retry_if_exception_type(_PassingError),
            stop=_hopeless,
            wait=_wait,
            sleep=lambda seconds: time.sleep(seconds),
            reraise=True,
        )

    def get(self, link: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """The answer to a GET of a path, or of a link that leads to the same origin."""
        return self._ask("GET", self._here(link), params=dict(parameters or {}))

    def post(self, link: str, form: Mapping[str, str]) -> Answer:
        """The answer to a POST of a form."""
        return self._ask("POST", self._here(link), data=dict(form))

    def _here(self, link: str) -> str:
        target = urljoin(self._origin + "/", link)
        if _origin(target) != self._origin:
            raise ApiError(f"it points to another host, {shown(urlsplit(target).netloc)}, which is not followed")
        return target

    def _ask(self, method: str, target: str, **content: Any) -> Answer:
        try:
            return self._patience(self._once, method, target, content)
        except _PassingError as error:
            raise ApiError(f"{error}; the next pull goes on from here") from None

    def _once(self, method: str, target: str, content: Mapping[str, Any]) -> Answer:
        host = urlsplit(target).netloc
        try:
            # An `auth` of our own also keeps requests from looking for credentials in ~/.netrc.
            with self._session.request(
                method,
                target,
                **content,
                auth=self._authorise,
                stream=True,
                allow_redirects=False,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
            ) as response:
                return self._answer(response, _read(response, host), host)
        except requests.exceptions.SSLError:
            raise ApiError(f"the certificate of {host} cannot be verified") from None
        except requests.exceptions.ConnectTimeout:
            raise _PassingError(f"{host} cannot be reached within {CONNECT_SECONDS:g} s") from None
        except requests.Timeout:
            raise _PassingError(f"{host} did not answer within {READ_SECONDS:g} s") from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            raise _PassingError(f"the answer of {host} broke off") from None
        except requests.exceptions.ProxyError:
            raise _PassingError(f"the proxy on the way to {host} failed") from None
        except requests.ConnectionError:
            raise _PassingError(f"{host} cannot be reached, or broke the connection off") from None
        except requests.RequestException as error:
            raise ApiError(f"{host} cannot be asked: {type(error).__name__}") from None

    def _answer(self, response: Response, raw: bytes, host: str) -> Answer:
        status = response.status_code
        if response.is_redirect or 300 <= status < 400:
            raise ApiError(f"{host} redirects elsewhere ({status}), which is not followed: set url to where its API is")
        if status == 429:
            raise _PassingError(f"{host} is over its rate limit (429)", _asked_wait(response))
        if status == 408 or status >= 500:
            raise _PassingError(f"{host} failed ({status})", _asked_wait(response))
        body = _parsed(response, raw, host)
        if status >= 400:
            raise RefusedError(f"{host} answered {status}{_complaint(body)}", status)
        link = response.links.get("next", {}).get("url")
        return Answer(body, self._relative(link) if link else None)

    def _relative(self, link: str) -> str:
        return self._here(link).removeprefix(self._origin)


def _origin(url: str) -> str:
    """Scheme, host and port. Credentials are not sent in the clear, except within this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ApiError("its url is none; expected https://host") from None
    if not host or parts.scheme not in ("https", "http"):
        raise ApiError("its url is none; expected https://host")
    if parts.username is not None or parts.password is not None:
        raise ApiError("its url holds a user or password; credentials have settings of their own")
    if parts.scheme == "http" and not _local(host):
        raise ApiError("its url begins with http://, which would show credentials to the network; use https://")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(response: Response, host: str) -> bytes:
    """The whole body, unpacked, if it is not too long and does not take too long."""
    blocks, size, until = [], 0, time.monotonic() + ANSWER_SECONDS
    for block in response.iter_content(_BLOCK):
        blocks.append(block)
        size += len(block)
        if size > MAX_BYTES:
            raise ApiError(f"an answer of {host} is longer than {MAX_BYTES:,} bytes")
        if time.monotonic() > until:
            raise _PassingError(f"an answer of {host} took longer than {ANSWER_SECONDS:g} s")
    return b"".join(blocks)


def _parsed(response: Response, raw: bytes, host: str) -> Any:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        pass
    if response.status_code >= 400:
        return None
    if kind.endswith("json"):
        raise _PassingError(f"the answer of {host} is no whole JSON")
    raise ApiError(
        f"{host} answered with {shown(kind) if kind else 'something else'} where JSON was expected: "
        "is the url that of its API, and does no proxy or sign-in page stand in between?"
    )


def _complaint(body: Any) -> str:
    """What the provider says of a refusal, shortened: the fields that providers use, and no others."""
    found = body.get("error", body) if isinstance(body, dict) else None
    parts = found if isinstance(found, dict) else body if isinstance(body, dict) else {}
    names = ("error_description", "message", "errorSummary", "message_detail", "error")
    texts = [parts[name] for name in names if isinstance(parts.get(name), str)]
    return f": {shown(texts[0], 200)}" if texts else ""


def _asked_wait(response: Response) -> float | None:
    """Seconds that the provider wants to be left alone: Retry-After (RFC 9110, 10.2.3), or when its limit resets.

    A moment is compared with the provider's own clock, so that ours need not be right.
    """
    headers = response.headers
    now = _http_date(headers.get("Date", "")) or time.time()
    asked = headers.get("Retry-After", "")
    reset = headers.get("X-Rate-Limit-Reset") or headers.get("X-RateLimit-Reset") or ""
    if asked.isascii() and asked.isdigit():
        return float(asked)
    if moment := _http_date(asked):
        return max(moment - now, 0.0)
    return max(float(reset) - now, 0.0) + 1.0 if reset.isascii() and reset.isdigit() else None


def _http_date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _hopeless(state: RetryCallState) -> bool:
    return stop_after_attempt(TRIES)(state) or _asked(state) > LONGEST_WAIT


def _wait(state: RetryCallState) -> float:
    return max(_asked(state), wait_random_exponential(multiplier=0.5, max=20)(state))


def _asked(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return (error.seconds or 0.0) if isinstance(error, _PassingError) else 0.0


class Bearer:
    """Adds an access token (RFC 6750), asking ``fetch`` for a new one before the old one ends."""

    def __init__(self, fetch: Callable[[], Answer]) -> None:
        self._fetch = fetch
        self._token, self._ends = "", 0.0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if time.monotonic() >= self._ends:
            body = self._fetch().body
            token = body.get("access_token") if isinstance(body, dict) else None
            if not isinstance(token, str) or not token.isprintable() or not token.isascii():
                raise ApiError("its token endpoint gave no access token")
            lifetime = body.get("expires_in")
            self._token = token
            # A minute early, since a request takes its time too.
            self._ends = time.monotonic() + (float(lifetime) if isinstance(lifetime, int | float) else 300.0) - 60.0
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def rfc3339(moment: datetime) -> str:
    """ "2024-06-01T12:00:00.000Z": the form that all providers read."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
