"""OCSF Detection Findings by syslog (RFC 5424): over UDP (RFC 5426), TCP (RFC 6587, octet counting), TLS (RFC 5425)."""

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from monitor.channels import AlertNotice, ChannelError, Notice
from monitor.channels.ocsf import detection_finding
from monitor.channels.payload import encoded, event_type
from monitor.channels.settings import ChannelSettings

AUTHPRIV = 10  # facility: security and authorization messages

#: Our severity → syslog's: critical, error, warning, notice.
SEVERITIES = {"critical": 2, "high": 3, "medium": 4, "low": 5}

#: How long a collector may take to close its side; one that has reset the connection by then has not taken the message.
FAREWELL_SECONDS = 2.0


class Syslog:
    """``target`` is ``udp://host:514``, ``tcp://host:601`` or ``tls://host:6514``."""

    public_only = False  # a collector is no webhook, and commonly in the own network

    def __init__(self, settings: ChannelSettings) -> None:
        target = urlsplit(settings.target.get_secret_value())
        assert target.hostname is not None and target.port is not None  # the settings have seen to that
        self._transport, self._host, self._port = target.scheme, target.hostname, target.port
        self._timeout = settings.timeout_seconds
        self._ca_file = settings.ca_file

    def send(self, notice: Notice) -> None:
        assert isinstance(notice, AlertNotice)  # the settings allow no digest
        line = message(notice, socket.gethostname())
        if self._transport == "udp":
            self._send_datagram(line)
        else:
            with self._stream() as stream:
                stream.sendall(b"%d %b" % (len(line), line))
                _farewell(stream)

    def _send_datagram(self, line: bytes) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as sender:
            sender.settimeout(self._timeout)
            sender.connect(address)
            sender.send(line)

    @contextmanager
    def _stream(self) -> Iterator[socket.socket]:
        with socket.create_connection((self._host, self._port), self._timeout) as plain:
            if self._transport == "tcp":
                yield plain
                return
            context = ssl.create_default_context(cafile=self._ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            with context.wrap_socket(plain, server_hostname=self._host) as encrypted:
                yield encrypted


def message(notice: AlertNotice, host: str) -> bytes:
    """A syslog message: header, no structured data, and the finding as JSON, which is ASCII without controls."""
    priority = AUTHPRIV * 8 + SEVERITIES[notice.severity]
    stamp = notice.decided_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    name = "".join(letter for letter in host if "!" <= letter <= "~")[:255] or "-"
    header = f"<{priority}>1 {stamp} {name} login-anomaly-monitor - {event_type(notice)} -"
    return f"{header} {encoded(detection_finding(notice))}".encode("ascii")


def _farewell(stream: socket.socket) -> None:
    """End the connection so that a collector which refused the message can show it: syslog has no answers."""
    stream.settimeout(FAREWELL_SECONDS)
    try:
        if isinstance(stream, ssl.SSLSocket):
            stream.unwrap()
        else:
            stream.shutdown(socket.SHUT_WR)
            stream.recv(1)
    except OSError as error:
        # Which of the two it is depends on whether the reset came before the shutdown or after it.
        if isinstance(error, ConnectionResetError) or error.errno == errno.ENOTCONN:
            raise ChannelError("the collector reset the connection") from None
        # Otherwise it waits for more, or closed without a word: it has the message.
