"""One channel's sending, in a process of its own: it can be ended when it hangs, and kept from private addresses.

Neither can be had from a thread: libraries time out each read rather than the whole, and what they connect to can only
be watched for a whole process. Settings, notices and answers go through its standard input and output, a JSON text a
line, so that a secret is seen by nobody who lists processes.
"""

import json
import os
import select
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import IO, Any, Self

from pydantic import TypeAdapter

from monitor.channels import ChannelError, Notice, cause, channel, guard
from monitor.channels.settings import ChannelSettings

#: Beyond the channel's own time-out: for starting the process, and for libraries that count each read anew.
GRACE_SECONDS = 15.0

NOTICES: TypeAdapter[Notice] = TypeAdapter(Notice)


@dataclass(frozen=True)
class Failure:
    """Why a notice was not sent; ``final`` and ``wait_seconds`` as of ``ChannelError``."""

    reason: str
    final: bool = False
    wait_seconds: float | None = None


def deliver(settings: ChannelSettings, notice: Notice) -> Failure | None:
    """Send a notice from within this process; None when it arrived."""
    refused: list[str] = []
    try:
        sender = channel(settings)
        guarded = sender.public_only and not settings.allow_private
        with guard.public_only() if guarded else nullcontext(refused) as refused:
            sender.send(notice)
    except ChannelError as error:
        failure = Failure(str(error), error.final, error.wait_seconds)
    except Exception as error:  # a library's fault must not end the channel; its words may hold the target
        failure = Failure(cause(error))
    else:
        return None
    if refused:
        return Failure(f"refused to connect to {refused[0]}; allow_private = true would permit it")
    return failure


class Sender:
    """Sends notices through one channel; the process is started when needed, and again after it had to be ended."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def send(self, notice: Notice) -> Failure | None:
        """Send a notice; returns within the channel's time-out and ``GRACE_SECONDS``, whatever happens."""
        deadline = monotonic() + self._settings.timeout_seconds + GRACE_SECONDS
        try:
            if self._process is None:
                self._process = _start()
                _write(self._process.stdin, json.dumps(_plain(self._settings)).encode())
            process = self._process
            _write(process.stdin, NOTICES.dump_json(notice))
            answer = _read_line(process.stdout, deadline)
        except TimeoutError:
            self._end()
            return Failure("took too long and was ended")
        except OSError:
            answer = b""
        if not answer.endswith(b"\n"):
            self._end()
            return Failure("the process that sends ended early")
        found = json.loads(answer)
        return None if found is None else Failure(**found)

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()
        self._process = None


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "monitor.channels.sender"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # libraries log what they send, and where to
        bufsize=0,
    )


def _plain(settings: ChannelSettings) -> dict[str, Any]:
    """The settings with their secrets, for the process that needs them."""
    secrets = {name: value.get_secret_value() for name in ("target", "secret") if (value := getattr(settings, name))}
    return settings.model_dump(mode="json") | secrets


def _write(pipe: IO[bytes] | None, text: bytes) -> None:
    assert pipe is not None
    left = memoryview(text + b"\n")
    while left:
        left = left[pipe.write(left) :]


def _read_line(pipe: IO[bytes] | None, deadline: float) -> bytes:
    """What comes up to the end of a line, or of the stream; ``TimeoutError`` after the deadline (time.monotonic())."""
    assert pipe is not None
    line = b""
    while not line.endswith(b"\n"):
        if not select.select([pipe], [], [], max(0.0, deadline - monotonic()))[0]:
            raise TimeoutError
        part = os.read(pipe.fileno(), 65_536)
        if not part:
            break
        line += part
    return line


def main() -> None:
    """The process: settings, then notices come by standard input; for each an answer leaves by standard output."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    settings = ChannelSettings.model_validate_json(sys.stdin.buffer.readline())
    for line in sys.stdin.buffer:
        failure = deliver(settings, NOTICES.validate_json(line))
        print(json.dumps(None if failure is None else vars(failure)), file=answers, flush=True)


if __name__ == "__main__":
    main()
