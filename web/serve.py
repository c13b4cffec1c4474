"""The review pages behind waitress, a server for production that needs nothing else."""

import signal
import socket
from collections.abc import Callable
from types import FrameType

import waitress

from monitor.config import Settings
from monitor.events import MonitorError
from web import create_app

#: Requests served at once; each holds at most one database connection.
THREADS = 12


class ServeError(MonitorError):
    """The address cannot be listened on."""


def serve(settings: Settings, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; ``ready`` is told the address once requests are answered."""
    app = create_app(settings)
    proxy = settings.web_trusted_proxy
    trusted = (
        {"trusted_proxy": proxy, "trusted_proxy_headers": "x-forwarded-for", "trusted_proxy_count": 1} if proxy else {}
    )
    try:
        server = waitress.create_server(
            app, host=host, port=port, threads=THREADS, ident=None, clear_untrusted_proxy_headers=True,
            url_scheme="https" if settings.web_https else "http", **trusted,
        )  # fmt: skip
    except (OSError, socket.gaierror, ValueError) as error:
        raise ServeError(f"cannot listen on {host} port {port}: {error}") from None

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, stop)
    shown = f"[{host}]" if ":" in host else host
    ready(f"http://{shown}:{server.effective_port}/")
    try:
        server.run()
    finally:
        signal.signal(signal.SIGTERM, before)
        server.close()
