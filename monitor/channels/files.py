"""Notices as JSON lines appended to a file, for log shippers and SIEMs: our own documents, or OCSF."""

import os
from pathlib import Path
from typing import Any

from monitor.channels import AlertNotice, ChannelError, Notice
from monitor.channels.ocsf import detection_finding
from monitor.channels.payload import document, encoded
from monitor.channels.settings import ChannelSettings


class JsonLines:
    """Documents as of the webhook; ``target`` is the file's path."""

    public_only = False

    def __init__(self, settings: ChannelSettings) -> None:
        self._path = Path(settings.target.get_secret_value())

    def send(self, notice: Notice) -> None:
        line = (encoded(self._document(notice)) + "\n").encode()
        # One write to a file opened for appending: lines of several processes do not mix. Opened anew for each notice,
        # so that a log rotation may move it away.
        with self._path.open("ab", buffering=0) as file:
            if file.write(line) != len(line):
                raise ChannelError("the file took only a part of the line; is the disk full?")
            os.fsync(file.fileno())

    def _document(self, notice: Notice) -> dict[str, Any]:
        return document(notice)


class OcsfLines(JsonLines):
    """OCSF Detection Findings; ``target`` is the file's path."""

    def _document(self, notice: Notice) -> dict[str, Any]:
        assert isinstance(notice, AlertNotice)  # the settings allow no digest
        return detection_finding(notice)
