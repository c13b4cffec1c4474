"""``monitor web`` and ``monitor reviewer``: from an empty database to a page, and down again at once."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from monitor.cli import cli
from monitor.config import isolated_environment
from monitor.store.engine import reading
from web.serve import Server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@pytest.fixture
def environment(database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    url = database.url.render_as_string(hide_password=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONITOR_DATABASE_URL", url)
    return isolated_environment(database_url=url)


@contextmanager
def served(environment: dict[str, str]) -> Iterator[tuple[str, int, int]]:
    """Host, port and process of a running server; it ends at SIGTERM, within seconds and without a word."""
    command = [sys.executable, "-m", "monitor", "web", "--port", "0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        address = urlsplit(line.split()[-1])
        try:
            yield str(address.hostname), int(address.port or 0), server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(10) == 0


def post_wrong(host: str, port: int, headers: dict[str, str]) -> int:
    """Try to sign in, as a browser does."""
    connection = http.client.HTTPConnection(host, port, timeout=20)
    connection.request("GET", "/sign-in")
    response = connection.getresponse()
    token = re.search(r'name="csrf_token" value="([^"]+)"', response.read().decode())
    cookie = str(response.headers["Set-Cookie"]).split(";")[0]
    assert token is not None
    form = urlencode({"csrf_token": token[1], "name": "ada", "password": "guess", "code": "1"})
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    connection.request("POST", "/sign-in", form, kind | headers)
    return connection.getresponse().status


def addresses(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(text("SELECT address FROM monitor.sign_in_try ORDER BY tried_at")))


def test_the_pages_are_served_until_sigterm_by_processes_that_are_replaced(
    environment: dict[str, str], database: Engine
) -> None:
    with served(environment) as (host, port, process):
        assert post_wrong(host, port, {"X-Forwarded-For": "203.0.113.5"}) == 401
        assert addresses(database) == ["127.0.0.1"]  # nobody is trusted to speak for others
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        assert len(children) == 2
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        deadline = time.monotonic() + 30
        while True:
            try:
                assert post_wrong(host, port, {}) == 401
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.5)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, port), 5)


@pytest.mark.parametrize(
    ("trusted", "believed"),
    [("10.0.0.7, 127.0.0.0/8", "203.0.113.5"), ("10.0.0.7 10.1.0.0/16", "127.0.0.1")],
)
def test_configured_proxies_alone_are_believed(
    trusted: str, believed: str, environment: dict[str, str], database: Engine
) -> None:
    with served(environment | {"MONITOR_WEB_TRUSTED_PROXY": trusted}) as (host, port, _):
        assert post_wrong(host, port, {"X-Forwarded-For": "198.51.100.1, 203.0.113.5"}) == 401
    assert addresses(database) == [believed]


def test_those_who_wait_stand_in_one_line_before_all_processes() -> None:
    """What a busy process has not taken is served by another one as soon as there is one."""
    clients, taken, free = 12, Semaphore(0), Event()

    def busy(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        taken.release()
        assert free.wait(30)
        return idle(environ, start_response)

    def idle(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        start_response("200 OK", [("Content-Length", "0")])
        return []

    def serve(app: "WSGIApplication") -> Server:
        server = Server(app, listening, threads=1)
        Thread(target=run_until_closed, args=(server,), daemon=True).start()
        return server

    def run_until_closed(server: Server) -> None:
        with suppress(OSError, ValueError):  # at the end it is closed under its loop, which may be waiting for a socket
            server.run()

    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(clients) as pool:
        listening.setblocking(False)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        answers = [pool.submit(lambda: urlopen(address, timeout=30).status) for _ in range(clients)]
        servers = [serve(busy)]
        assert taken.acquire(timeout=30)
        time.sleep(0.3)  # long enough to take them all
        servers.append(serve(idle))
        answered = as_completed(answers, 30)
        assert [next(answered).result() for _ in range(clients - 4)] == [200] * (clients - 4)
        free.set()
        assert [answer.result() for answer in answered] == [200] * 4  # one at work, the others on their way to it
        for server in servers:
            server.task_dispatcher.shutdown()
            server.close()


def test_the_pages_start_without_torch(environment: dict[str, str]) -> None:
    program = (
        "import sys; from web import create_app; from monitor.config import load_settings;"
        "create_app(load_settings()); print('torch' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], env=environment, text=True) == "False\n"


def test_an_address_that_is_taken_is_one_line(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("web", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: cannot listen on 127.0.0.1 port \d+: .+\n", result.stderr)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="monitor")


def test_reviewers_are_added_listed_reset_and_disabled(environment: dict[str, str]) -> None:
    assert "no reviewers yet" in run("reviewer", "list").output
    added = run("reviewer", "add", "Ada", "--role", "admin").output
    assert re.search(r"one-time password  \S{16}\n", added)
    assert re.search(r"TOTP secret        [A-Z2-7]{32}\n", added)
    assert re.search(r"ada +admin +one-time password", run("reviewer", "list").output)
    assert "one-time password" in run("reviewer", "password", "ada").output
    assert run("reviewer", "disable", "ada").exit_code == 0
    assert re.search(r"ada +admin +disabled", run("reviewer", "list").output)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["add", "a b"], "a name has"),
        (["disable", "nobody"], "there is no reviewer nobody"),
        (["password", "nobody"], "there is no reviewer nobody"),
    ],
)
def test_a_reviewer_command_that_cannot_work_is_one_line(
    arguments: list[str], says: str, environment: dict[str, str]
) -> None:
    result = run("reviewer", *arguments)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert says in result.stderr
