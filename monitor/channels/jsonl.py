"""Notices as JSON lines appended to a file, for log shippers and SIEMs."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from monitor.channels import Notice


class JsonLines:
    """``target`` is the file's path."""

    def __init__(self, target: str) -> None:
        self._path = Path(target)

    def send(self, notice: Notice) -> None:
        line = json.dumps(asdict(notice), default=str, ensure_ascii=True) + "\n"
        # One write to a file opened for appending: lines of several processes do not mix.
        with self._path.open("ab", buffering=0) as file:
            file.write(line.encode())
            os.fsync(file.fileno())
