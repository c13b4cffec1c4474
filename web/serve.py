"""The review pages behind waitress, a server for production that needs nothing else, in several processes."""

import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from types import FrameType
from typing import TYPE_CHECKING

from waitress.server import TcpWSGIServer
from werkzeug.middleware.proxy_fix import ProxyFix

from monitor.config import Settings
from monitor.events import MonitorError
from monitor.jobs.reviewers import check_secrets
from monitor.vault import Vault
from web import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Requests that one process serves at once; each holds at most two database connections. More would not be answered
#: sooner, only all of them late.
THREADS = 2

#: Seconds for which a thread may go on before another takes its turn. A page takes less: begun first, it is done first,
#: rather than all at once and late.
TURN_SECONDS = 0.05

#: New objects after which garbage is looked for. A page makes thousands and leaves hardly a cycle behind; Python's own
#: figure would look ten times a page, now and then through all that was ever imported.
COLLECT_AFTER = 10_000

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
    engine = create_app(settings).extensions["monitor"]  # what is wrong with the database is said before anyone waits
    check_secrets(engine, Vault(settings.key_file))
    engine.dispose()
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
    sys.setswitchinterval(TURN_SECONDS)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # requests that wait a moment are no event
    app: WSGIApplication = create_app(settings)
    if settings.web_trusted_proxy:
        app = BehindProxies(app, settings.web_trusted_proxy)
    gc.freeze()  # what is loaded by now stays, and need not be looked through
    gc.set_threshold(COLLECT_AFTER)
    scheme = "https" if settings.web_https else "http"
    Server(app, listening, threads=THREADS, url_scheme=scheme, clear_untrusted_proxy_headers=False).run()


class Server(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Accepts while no request waits for a thread: all who wait stand in one line, which all processes serve.

    Accepted at once, as waitress does, they would be dealt out to the processes by chance, and some wait twice as long.
    """

    def __init__(self, app: "WSGIApplication", listening: socket.socket, **adjustments: object) -> None:
        address = (listening.family, listening.type, listening.proto, listening.getsockname())
        super().__init__(app, _sock=listening, sockinfo=address, bind_socket=False, ident=None, **adjustments)

    def readable(self) -> bool:
        return bool(super().readable()) and not self.task_dispatcher.queue


class BehindProxies:
    """Believes the last address of X-Forwarded-For when the request comes from a trusted proxy, and only then."""

    def __init__(self, app: "WSGIApplication", trusted: Sequence[IPv4Network | IPv6Network]) -> None:
        self._app, self._trusted = app, trusted
        self._proxied = ProxyFix(app, x_for=1, x_proto=0)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        peer = ip_address(environ["REMOTE_ADDR"])
        app = self._proxied if any(peer in network for network in self._trusted) else self._app
        return app(environ, start_response)


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
