"""Local HTTP servers that behave like the APIs of identity providers, and can misbehave on demand."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as a server sees it; the header names are in lower case, of each parameter the last value."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What a server says. ``cut`` bytes of the body are held back, though its length was announced."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    cut: int = 0


@dataclass
class Provider:
    """A server at ``url``; ``answer`` says what it answers, after the ``mishaps`` are used up."""

    url: str = ""
    answer: Callable[[Asked], Reply] = lambda asked: Reply([])
    mishaps: deque[Reply] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


@contextmanager
def serving(provider: Provider) -> Iterator[Provider]:
    """Serve until the end of the block, on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            target = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            asked = Asked(
                self.command,
                target.path,
                {name: values[-1] for name, values in parse_qs(target.query).items()},
                {name.lower(): value for name, value in self.headers.items()},
                {name: values[-1] for name, values in parse_qs(body).items()},
            )
            provider.asked.append(asked)
            self._say(provider.mishaps.popleft() if provider.mishaps else provider.answer(asked))

        def _say(self, reply: Reply) -> None:
            raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response_only(reply.status)
            usual = {"Date": formatdate(usegmt=True), "Content-Type": reply.kind, "Content-Length": str(len(raw))}
            for name, value in (usual | dict(reply.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw[: len(raw) - reply.cut])
            self.close_connection = self.close_connection or reply.cut > 0

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Okta:
    """A System Log like Okta's: polled in the order of arrival, by links that know an event forever."""

    def __init__(self, provider: Provider, page: int = 10) -> None:
        self.provider, self.page = provider, page
        self.log: list[dict[str, Any]] = []
        self.forgotten = False
        provider.answer = self.answer

    def sign_in(self, *times: datetime, user: str = "ana@corp.example", **more: Any) -> None:
        """Log a sign-in at each of these times; ``more`` are fields of the event."""
        for moment in times:
            self.log.append(
                {
                    "uuid": f"u{len(self.log):04d}",
                    "published": moment.isoformat(),
                    "eventType": "user.session.start",
                    "outcome": {"result": "SUCCESS"},
                    "actor": {"alternateId": user, "type": "User"},
                    "client": {"ipAddress": "192.0.2.1"},
                }
                | more
            )

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != "SSWS s3cret":
            return Reply({"errorSummary": f"Invalid token {asked.headers.get('authorization')}"}, 401)
        begin = self._begin(asked.query)
        if begin is None:
            return Reply({"errorSummary": "The after parameter is invalid"}, 400)
        page = self.log[begin : begin + self.page]
        link = f"{self.provider.url}/api/v1/logs?after=p{begin + len(page)}"
        return Reply(page, headers={"Link": f'<{link}>; rel="next"'})

    def _begin(self, query: "dict[str, str] | Any") -> int | None:
        if "after" in query:
            return None if self.forgotten else int(query["after"][1:])
        since = datetime.fromisoformat(query["since"])
        later = (at for at, event in enumerate(self.log) if datetime.fromisoformat(event["published"]) >= since)
        return next(later, len(self.log))
