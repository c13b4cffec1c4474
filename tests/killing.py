"""Killing a process in the middle of what it stores."""

import signal
import subprocess
import sys

_HANGING = """
import sys, time
from importlib import import_module
from monitor.sources import base
base.CHUNK_RECORDS = 1_000
module = import_module({module!r})
add, calls = module.add_events, []
def add_and_hang(*arguments):
    calls.append(1)
    stored = add(*arguments)
    if len(calls) == {transaction}:
        print("hanging", flush=True)
        time.sleep(600)
    return stored
module.add_events = add_and_hang
"""


def kill_before_commit(module: str, transaction: int, script: str, *arguments: str) -> None:
    """Run a script (whose ``sys.argv[1:]`` are the arguments) in a process of its own, and kill that just before the
    n-th transaction of a job's module is committed. Chunks are of a thousand records."""
    command = [sys.executable, "-c", _HANGING.format(module=module, transaction=transaction) + script, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hanging\n"
        process.send_signal(signal.SIGKILL)
