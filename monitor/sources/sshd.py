"""The authentication log of an OpenSSH server, as syslog writes it.

Stamps: RFC 3164 ("Mar 27 13:06:56", local time without a year), ISO 8601 (rsyslog's own), and RFC 5424. A login is an
"Accepted …" or "Failed …" line; every other line is skipped and counted.

A log line has no id, and several true attempts may read the same: same second, process, port and user. So an event's id
is a digest of its line, its time and its number among the equal lines of this input. Reading a file again, or one that
overlaps it, finds the same ids. The limit: if a rotation cuts through equal lines of one second, those after the cut
are numbered anew and taken for the ones before it.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from io import BufferedIOBase

from monitor.events import MonitorError
from monitor.sources.base import ChunkBuilder, Options, RawChunk
from monitor.sources.lines import lines

_COLUMNS = ("event_id", "occurred_at", "user", "outcome", "ip", "device_id", "auth_method", "application")
_MAX_REPEATS = 10_000  # of one line; sshd's own limit on the attempts of a connection is 6
_MOMENTS = 1_000  # whose equal lines are counted at once: a log is hardly more out of order
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

_LINE = re.compile(
    r"(?:<\d{1,3}>)?(?P<stamp>(?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<clock>\d\d:\d\d:\d\d)|\d{4}-\d\d-\d\dT\S+)"
    r" \S+ (?P<tag>[^\s:\[]+)(?:\[\d+\])?: (?P<message>.*)",
    re.ASCII,
)
_RFC5424 = re.compile(
    r"<\d{1,3}>1 (?P<stamp>\d{4}-\d\d-\d\dT\S+) \S+ (?P<tag>\S+) \S+ \S+ "
    r"(?:-|(?:\[[^\]]*\])+) \ufeff?(?P<message>.*)",
    re.ASCII,
)
_SSHD = re.compile(r"sshd(?:-session|-auth)?")
_REPEATED = re.compile(r"message repeated (\d{1,12}) times: \[ ?(.*)\]", re.ASCII)
# The name may be any text, even "x from 192.0.2.1 port 5 ssh2": being greedy, it leaves just what sshd wrote itself.
_LOGIN = re.compile(
    r"(?P<result>Accepted|Failed) (?P<method>\S+) for (?:invalid user )?(?P<user>.*) "
    r"from (?P<ip>\S+) port \d+(?: ssh\d?)?(?:: (?P<key>.*))?",
    re.ASCII,
)
_FINGERPRINT = re.compile(r"SHA256:[\w+/=]+|(?:MD5:)?(?:[0-9a-f]{2}:){15}[0-9a-f]{2}", re.ASCII)
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+(?:%\S+)?", re.ASCII)  # sshd may also write a host name, or UNKNOWN


def read_sshd(stream: BufferedIOBase, options: Options) -> Iterator[RawChunk]:
    """Logins in the authentication log of sshd (syslog lines of auth.log or secure)."""
    reader = _Reader(options)
    for number, text, problem in lines(stream):
        try:
            if problem:
                raise ValueError(problem)
            reader.read(number, text)
        except ValueError as reason:
            reader.builder.reject(number, str(reason), text)
        if reader.builder.full:
            yield reader.builder.take()
    yield reader.builder.take()


class _Reader:
    """Reads one log, line by line."""

    def __init__(self, options: Options) -> None:
        self.builder = ChunkBuilder(_COLUMNS)
        self._clock = _Clock(options)
        self._twins = _Twins()

    def read(self, number: int, text: str) -> None:
        """Add the logins of a line to the builder; a line that cannot be read is a ``ValueError``."""
        line = _LINE.fullmatch(text) or _RFC5424.fullmatch(text)
        if not line:
            raise ValueError("is no syslog line")
        self._clock.advance(line)
        if not _SSHD.fullmatch(line["tag"]):
            self.builder.skip("not sshd")
            return
        repeated = _REPEATED.fullmatch(line["message"])
        login = _LOGIN.fullmatch(repeated[2] if repeated else line["message"])
        if not login:
            self.builder.skip("sshd, but no login")
            return
        count = int(repeated[1]) if repeated else 1
        if count > _MAX_REPEATS:
            raise ValueError(f"is repeated more than {_MAX_REPEATS:,} times")
        time = self._clock.time(line)
        said = _said(login)
        twin = self._twins.number(time, text)
        for repeat in range(count):
            digest = blake2b(f"{time}\n{twin}\n{repeat}\n{text}".encode(), digest_size=16)
            self.builder.add(number, (digest.hexdigest(), time, *said), text)


def _said(login: re.Match[str]) -> tuple[str | None, ...]:
    """What a line says of its login, as the columns after event_id and occurred_at. The client's key is its device."""
    key = _FINGERPRINT.search(login["key"] or "")
    return (
        login["user"],
        "success" if login["result"] == "Accepted" else "failure",
        login["ip"] if _ADDRESS.fullmatch(login["ip"]) else None,
        key[0] if key else None,
        login["method"],
        "sshd",
    )


class _Clock:
    """Completes stamps without year and zone. A log runs forward, so December before January means a new year."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._years = 0
        self._month = 0

    def advance(self, line: re.Match[str]) -> None:
        """Take note of the month of a line, login or not."""
        month = _month(line)
        if month and not self._straggles(month):
            self._years += bool(self._month) and month < self._month - 1
            self._month = month

    def _straggles(self, month: int) -> bool:
        """Whether a line of December comes out of order, after the first of January."""
        return self._month == 1 and month == 12

    def time(self, line: re.Match[str]) -> str:
        """The stamp of a line as ISO 8601 with a zone; an impossible one is a ``ValueError``."""
        month = _month(line)
        if not month:
            return line["stamp"]
        if self._options.year is None:
            raise MonitorError("the stamps of this log have no year: say which with --year")
        year = self._options.year + self._years - self._straggles(month)
        try:
            hour, minute, second = map(int, line["clock"].split(":"))
            local = datetime(year, month, int(line["day"]), hour, minute, second, tzinfo=self._options.zone or UTC)
            return local.astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            raise ValueError(f"'{line['stamp']}' is an impossible date or time in {year}") from None


def _month(line: re.Match[str]) -> int:
    """1 to 12, or 0 for a stamp that is complete."""
    name = line.groupdict().get("month")
    return _MONTHS.index(name) + 1 if name in _MONTHS else 0


class _Twins:
    """Numbers the equal lines of one moment, from 0."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, Counter[bytes]] = OrderedDict()

    def number(self, time: str, text: str) -> int:
        counts = self._seen.setdefault(time, Counter())
        if len(self._seen) > _MOMENTS:
            self._seen.popitem(last=False)
        digest = blake2b(text.encode(), digest_size=16).digest()
        counts[digest] += 1
        return counts[digest] - 1
