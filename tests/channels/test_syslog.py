"""Syslog messages are what RFC 5424 says, over each of the three transports."""

import json
import re
import shutil
import socket
import ssl
import struct
import subprocess
from pathlib import Path
from threading import Thread

import pytest
from receivers import HOSTILE, KEY, notice, settings, stream_receiver

from monitor.channels import ChannelError, sender
from monitor.channels.syslog import Syslog, message

HEADER = re.compile(
    r"<(?P<priority>\d{1,3})>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) (?P<host>[!-~]{1,255}) "
    r"(?P<app>[!-~]{1,48}) (?P<process>[!-~]{1,128}) (?P<id>[!-~]{1,32}) - (?P<message>[ -~]+)"
)


def parsed(line: bytes) -> dict[str, str]:
    found = HEADER.fullmatch(line.decode("ascii"))
    assert found is not None
    return found.groupdict()


def test_a_message_has_the_parts_of_rfc_5424_and_an_ocsf_finding() -> None:
    found = parsed(message(notice(), "monitor.example"))
    assert (found["priority"], found["time"], found["host"]) == ("83", "2026-03-02T09:00:00.000000Z", "monitor.example")
    assert (found["app"], found["id"]) == ("login-anomaly-monitor", "alert.opened")
    finding = json.loads(found["message"])
    assert (finding["class_uid"], finding["metadata"]["uid"]) == (2004, str(KEY))


@pytest.mark.parametrize(("severity", "priority"), [("critical", 82), ("high", 83), ("medium", 84), ("low", 85)])
def test_the_priority_says_the_severity(severity: str, priority: int) -> None:
    assert parsed(message(notice(severity=severity), "h"))["priority"] == str(priority)


def test_no_words_of_an_attacker_end_the_message_or_begin_another() -> None:
    line = message(notice(user_name=HOSTILE + "\n<82>1 - - - - - - forged", headline=HOSTILE), "host name\n<0>")
    assert parsed(line)["host"] == "hostname<0>"
    assert "forged" in json.loads(parsed(line)["message"])["evidences"][0]["actor"]["user"]["name"]


def test_a_datagram_is_one_message() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(10)
        Syslog(settings("syslog", f"udp://127.0.0.1:{collector.getsockname()[1]}")).send(notice())
        assert parsed(collector.recv(65_536))["id"] == "alert.opened"


def frames(sent: bytes) -> list[bytes]:
    """Octet counting of RFC 6587."""
    found = []
    while sent:
        size, _, rest = sent.partition(b" ")
        found.append(rest[: int(size)])
        sent = rest[int(size) :]
    return found


def test_messages_over_tcp_carry_their_length() -> None:
    with stream_receiver() as (port, received):
        Syslog(settings("syslog", f"tcp://127.0.0.1:{port}")).send(notice())
    (sent,) = received
    (line,) = frames(sent)
    assert parsed(line)["id"] == "alert.opened"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of its own issue for localhost, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    directory = tmp_path_factory.mktemp("tls")
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
    subprocess.run(
        [*command, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_messages_over_tls_go_to_who_can_show_a_certificate(certificate: tuple[Path, Path]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with stream_receiver(context) as (port, received):
        target = f"tls://localhost:{port}"
        failure = sender.deliver(settings("syslog", target), notice())
        assert failure is not None
        assert "CERTIFICATE_VERIFY_FAILED" in failure.reason
        Syslog(settings("syslog", target, ca_file=certificate[0])).send(notice())
    (sent,) = received
    assert parsed(frames(sent)[0])["id"] == "alert.opened"


def test_a_collector_that_resets_the_connection_has_not_taken_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def reset() -> None:
            connection, _ = listener.accept()
            connection.recv(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        thread = Thread(target=reset)
        thread.start()
        with pytest.raises((ChannelError, ConnectionError)):
            Syslog(settings("syslog", f"tcp://127.0.0.1:{listener.getsockname()[1]}")).send(notice())
        thread.join()


def test_a_collector_that_is_not_there_is_a_failure() -> None:
    failure = sender.deliver(settings("syslog", "tcp://127.0.0.1:1"), notice())
    assert failure is not None
    assert failure.reason == "Connection refused"
