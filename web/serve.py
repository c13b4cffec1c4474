"""The review pages behind waitress, a server for production that needs nothing else, in several processes."""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

import waitress

from monitor.config import Settings
from monitor.events import MonitorError
from web import create_app

#: Requests that one process serves at once; each holds at most two database connections.
THREADS = 8

#: A process that ends is replaced, but not faster than this: a fault that recurs must not spin.
RESTART_SECONDS = 2.0

#: Connections that wait to be accepted.
BACKLOG = 256


class ServeError(MonitorError):
    """The address cannot be listened on."""


def serve(settings: Settings, host: str, port: int, processes: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; ``ready`` is told the address once connections are accepted.

    Rendering pages is Python's own work, so one process uses one core. All processes accept from one socket.
    """
    create_app(settings).extensions["monitor"].dispose()  # what is wrong with the database is said before anyone waits
    listening = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    ready(f"http://{shown}:{listening.getsockname()[1]}/")
    _supervise([lambda: _work(settings, listening)] * processes)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        raise ServeError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    listening.setblocking(False)
    return listening


def _work(settings: Settings, listening: socket.socket) -> None:
    """What one process does: answer requests."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # requests that wait a moment are no event
    proxy = settings.web_trusted_proxy
    trusted = (
        {"trusted_proxy": proxy, "trusted_proxy_headers": "x-forwarded-for", "trusted_proxy_count": 1} if proxy else {}
    )
    waitress.create_server(
        create_app(settings), sockets=[listening], threads=THREADS, ident=None, clear_untrusted_proxy_headers=True,
        url_scheme="https" if settings.web_https else "http", **trusted,
    ).run()  # fmt: skip


def _supervise(tasks: list[Callable[[], None]]) -> None:
    """Run each task in a process of its own, replacing those that end, until this one is asked to stop."""
    running = {_fork(task): task for task in tasks}

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    try:
        while True:
            ended, _ = os.wait()
            if ended in running:
                task = running.pop(ended)
                time.sleep(RESTART_SECONDS)
                running[_fork(task)] = task
    except KeyboardInterrupt:
        pass
    finally:
        for process in running:
            os.kill(process, signal.SIGTERM)


def _fork(task: Callable[[], None]) -> int:
    """Start a process; forked before there are threads or connections, so that nothing is shared by mistake."""
    process = os.fork()
    if process:
        return process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        task()
    except KeyboardInterrupt:
        pass
    except BaseException:
        logging.getLogger("monitor.web").exception("a process of the review pages ended")
    os._exit(0)
