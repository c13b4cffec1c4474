"""What channels send to, on this machine: an HTTP server that answers as told, a mailbox, and sockets for syslog."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from monitor.channels import AlertNotice, DigestLine, DigestNotice
from monitor.channels.settings import ChannelSettings

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY, ALERT = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

#: What attackers type where a name, a city or a browser is expected.
HOSTILE = (
    (
        "@everyone <!channel> <@U123> [click](http://evil.example) <a href='https://evil.example'>x</a> `id` |\r\n"
        "Bcc: all@corp.example\r\n\r\n\x00\x1b[31m\u202egpj.exe www.evil.example \\ \ud800"
    )
    .encode("utf-8", "replace")
    .decode()
)


def notice(**changed: Any) -> AlertNotice:
    """An alert that opened."""
    values: dict[str, Any] = {
        "key": KEY,
        "kind": "opened",
        "decided_at": NOW,
        "alert_id": ALERT,
        "user_name": "ada@corp.example",
        "severity": "high",
        "status": "open",
        "score": 4.25,
        "headline": "First login from Lagos; new device",
        "event_count": 3,
        "opened_at": NOW,
        "last_event_at": NOW,
        "event": {
            "event_id": "e1", "occurred_at": NOW.isoformat(), "user": "ada@corp.example", "outcome": "success",
            "ip": "203.0.113.9", "country": "NG", "region": None, "city": "Lagos", "latitude": 6.5, "longitude": 3.4,
            "asn": 64500, "user_agent": "Mozilla/5.0", "device_id": None, "auth_method": "password",
            "application": "vpn", "rtt_ms": 120.0,
        },
        "reasons": [
            {"feature": "city", "contribution": 9.1, "observed": "Lagos", "usual": "Berlin", "new": True},
            {"feature": "device", "contribution": 3.0, "observed": None, "usual": "laptop", "new": True},
        ],
        "link": "https://monitor.example/alerts/2",
    }  # fmt: skip
    return AlertNotice(**values | changed)


def digest(**changed: Any) -> DigestNotice:
    """A day with three decisions."""
    line = DigestLine(ALERT, "ada@corp.example", "critical", "open", 6.1, "First login from Lagos", 4)
    values = {"key": KEY, "decided_at": NOW, "since": NOW, "until": NOW, "opened": {"critical": 1, "high": 2}}
    return DigestNotice(**{**values, "waiting": 5, "worst": [line]} | changed)


def settings(kind: str, target: str, **more: Any) -> ChannelSettings:
    """A channel of that kind; a webhook has a secret."""
    secret = {"secret": SecretStr(SECRET)} if kind == "webhook" else {}
    return ChannelSettings(name="here", kind=kind, target=SecretStr(target), **{**secret, **more})


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class HttpReceiver:
    """Answers each request with the next of ``answers`` (status, headers, seconds to wait), then 204."""

    url: str
    answers: list[tuple[int, dict[str, str], float]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def will(self, status: int, seconds: float = 0.0, **headers: str) -> None:
        self.answers.append((status, headers, seconds))


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            status, extra, seconds = receiver.answers.pop(0) if receiver.answers else (204, {}, 0.0)
            time.sleep(seconds)
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def stream_receiver(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """The port of a collector over TCP (or TLS), and what each connection sent until it ended."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
            except (OSError, ValueError):
                if listener.fileno() == -1:
                    return
                continue
            with connection:
                parts = []
                while part := connection.recv(65_536):
                    parts.append(part)
                received.append(b"".join(parts))

    thread = Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], received
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


class Mailbox:
    """Keeps each mail with its recipients."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), mail))
        return "250 OK"


@contextmanager
def smtp_receiver() -> Iterator[tuple[str, Mailbox]]:
    """An SMTP server, as Apprise addresses it, and what it got."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:  # the controller cannot take any port that is free
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"mailto://127.0.0.1:{port}/?from=monitor@corp.example&to=soc@corp.example&mode=insecure", box
    finally:
        controller.stop()
