"""The embedded PostgreSQL: started on demand, shared by processes, stopped by the last, outlives a killed one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from monitor.config import Settings
from monitor.store.engine import connect, open_url, reading
from monitor.store.server import EmbeddedServer, ServerError

ROOT = Path(__file__).resolve().parents[1]
USER = """
import sys, time
from pathlib import Path
from monitor.config import Settings
from monitor.store.engine import connect, open_url, reading
from sqlalchemy import text
engine = connect(Settings(data_dir=Path(sys.argv[1])))
with reading(engine) as connection:
    print(connection.scalar(text("SELECT current_database()")), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with TemporaryDirectory(prefix="monitor-test-") as directory:
        yield Path(directory)


def user(data_dir: Path) -> subprocess.Popen[str]:
    """A process that uses the server until its input is closed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(data_dir)],
        cwd=data_dir,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=20)
    assert process.returncode == 0


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def runs(data_dir: Path) -> bool:
    return (data_dir / "postgresql" / "postmaster.pid").exists()


def test_processes_that_start_at_once_share_one_server_and_the_last_stops_it(data_dir: Path) -> None:
    processes = [user(data_dir) for _ in range(3)]
    assert [said(process) for process in processes] == ["monitor\n"] * 3
    leave(processes.pop())
    leave(processes.pop())
    assert runs(data_dir)
    leave(processes.pop())
    assert not runs(data_dir)


def test_the_server_outlives_a_killed_user_and_still_stops_with_the_last(data_dir: Path) -> None:
    victim, other = user(data_dir), user(data_dir)
    assert said(victim) + said(other) == "monitor\nmonitor\n"
    victim.kill()
    victim.communicate()
    leave(other)
    assert not runs(data_dir)


def test_a_server_left_running_by_a_killed_process_is_used_and_stopped_by_the_next(data_dir: Path) -> None:
    victim = user(data_dir)
    said(victim)
    victim.kill()
    victim.communicate()
    assert runs(data_dir)
    following = user(data_dir)
    assert said(following) == "monitor\n"
    leave(following)
    assert not runs(data_dir)


def test_a_server_that_was_killed_is_started_again_for_the_next_connection(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    engine = connect(settings)
    pid = int((data_dir / "postgresql" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while True:
        try:
            with reading(engine) as connection:
                assert connection.scalar(text("SELECT 1")) == 1
            break
        except Exception:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    engine.dispose()
    server = EmbeddedServer(data_dir)
    server.start()
    server._pg_ctl("stop", "-m", "fast")


def test_an_interrupted_creation_leaves_nothing_that_a_later_start_trips_over(data_dir: Path) -> None:
    half = data_dir / "postgresql.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedServer(data_dir)
    server.start()
    assert not half.exists()
    server.stop()
    assert not runs(data_dir)


def test_a_data_directory_with_a_long_path_gets_a_socket_elsewhere_that_others_cannot_reach(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir / ("d" * 100))
    server.start()
    sockets = server._socket_dir
    assert not str(sockets).startswith(str(data_dir))
    assert sockets.stat().st_mode & 0o077 == 0
    server.stop()
    sockets.rmdir()


def test_commits_are_durable_and_nobody_listens_on_the_network(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir)
    server.start()
    engine = open_url(server.url("postgres"))
    with reading(engine) as connection:
        shown = {name: connection.scalar(text(f"SHOW {name}")) for name in ("synchronous_commit", "fsync")}
        assert shown == {"synchronous_commit": "on", "fsync": "on"}
        assert connection.scalar(text("SHOW listen_addresses")) == ""
    engine.dispose()
    server.stop()


def test_a_data_directory_that_cannot_be_made_is_explained(data_dir: Path) -> None:
    (data_dir / "file").write_text("")
    with pytest.raises(ServerError, match=r"embedded PostgreSQL in .*Not a directory"):
        EmbeddedServer(data_dir / "file" / "data").start()


def test_what_the_server_says_is_in_the_error_when_it_cannot_start(data_dir: Path) -> None:
    with pytest.raises(ServerError, match="pg_ctl failed"):
        EmbeddedServer(data_dir, tuning={"shared_buffers": "nonsense"}).start()
