"""The small port of ``monitor run``: /metrics, /healthz and /readyz, for the operator's own machines.

It answers whoever reaches it, hence the setting ``METRICS_ADDRESS`` should name a loopback or an internal address.
"""

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread

import structlog

from monitor.events import MonitorError

#: A client that says nothing for so long is cut off.
SILENCE_SECONDS = 10.0

#: What a path answers: status, content type, body; given the Accept header.
Answer = tuple[HTTPStatus, str, bytes]
Pages = dict[str, Callable[[str], Answer]]

log = structlog.stdlib.get_logger("monitor.health")


class MetricsAddressError(MonitorError):
    """The address for metrics cannot be listened on."""


@contextmanager
def listening(address: str | None, pages: Pages) -> Iterator[str | None]:
    """Answer ``pages`` at ``host:port`` until the block ends; yields the address, None when there is none."""
    if address is None:
        yield None
        return
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family, _, _, _, where = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        kind = _Server6 if family == socket.AF_INET6 else _Server
        server = kind((str(where[0]), int(where[1])), _handler(pages))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MetricsAddressError(f"cannot listen on MONITOR_METRICS_ADDRESS {address}: {reason}") from None
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    shown = f"[{host}]" if ":" in host else host
    try:
        log.info("metrics", address=f"http://{shown}:{server.server_address[1]}/metrics")
        yield f"{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own asks the name service who this machine is

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that left is no event
            log.warning("request failed", exc_info=True)


class _Server6(_Server):
    address_family = socket.AF_INET6


def _handler(pages: Pages) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = SILENCE_SECONDS
        server_version, sys_version = "monitor", ""

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0], _not_found)
            status, kind, body = page(self.headers.get("Accept", ""))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *values: object) -> None:
            """Scrapes are no event."""

    return Handler


def _not_found(accept: str) -> Answer:
    return HTTPStatus.NOT_FOUND, "text/plain", b"not found\n"
