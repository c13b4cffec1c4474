"""Webhooks reach public addresses alone: whatever the URL, the resolver or a redirect says."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
import requests
from receivers import HttpReceiver, http_receiver, notice, settings

from monitor.channels import guard, sender


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
        "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
        "2002:7f00:1::", "2002:a00:1::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_no_address_of_a_private_or_special_kind_is_public(address: str) -> None:
    assert not guard.is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_ordinary_addresses_are_public(address: str) -> None:
    assert guard.is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "[::1]", "0",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "10.255.255.1", "169.254.169.254", "[fe80::1]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["webhook", "apprise"])
def test_no_way_to_write_a_private_address_gets_through(kind: str, host: str, http: HttpReceiver) -> None:
    port = http.url.rpartition(":")[2]
    scheme = "http" if kind == "webhook" else "json"
    failure = sender.deliver(settings(kind, f"{scheme}://{host}:{port}/"), notice())
    assert failure is not None
    assert http.received == []
    if "final" not in failure.reason and not failure.final:  # Apprise itself knows some of these for no host
        assert "refused to connect" in failure.reason or "Name or service not known" in failure.reason


def resolving(*answers: str) -> Any:
    """A resolver that says each address in turn, and goes on saying the last."""
    left = list(answers)

    def getaddrinfo(host: object, port: int, *_: object, **__: object) -> list[Any]:
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    return getaddrinfo


@pytest.mark.parametrize("kind", ["webhook", "apprise"])
def test_a_name_that_means_a_private_address_is_refused(
    kind: str, http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving("127.0.0.1"))
    scheme, port = "http" if kind == "webhook" else "json", http.url.rpartition(":")[2]
    failure = sender.deliver(settings(kind, f"{scheme}://hooks.example:{port}/"), notice())
    assert failure is not None
    assert "127.0.0.1, which is no public address; allow_private = true" in failure.reason
    assert http.received == []


def test_a_name_that_changes_its_mind_after_it_was_looked_up_is_refused(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A check that looks the name up itself would see the public address, and the connection then go to the private one.
    monkeypatch.setattr(socket, "getaddrinfo", resolving("8.8.8.8", "127.0.0.1"))
    assert socket.getaddrinfo("rebinding.example", 80)[0][4][0] == "8.8.8.8"
    failure = sender.deliver(settings("webhook", f"http://rebinding.example:{http.url.rpartition(':')[2]}/"), notice())
    assert failure is not None
    assert "127.0.0.1, which is no public address" in failure.reason
    assert http.received == []


def test_a_redirect_to_a_private_address_is_refused_whoever_follows_it(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first server stands for a public one: only the second connection is looked at as it is.
    monkeypatch.setattr(guard, "is_public", lambda address: str(address) == "127.0.0.1")
    http.will(302, location="http://169.254.169.254/latest/meta-data/")
    with guard.public_only() as refused, pytest.raises(requests.ConnectionError):
        requests.post(http.url, timeout=5)
    assert refused == ["169.254.169.254, which is no public address"]
    http.will(302, location="http://[::1]/")
    failure = sender.deliver(settings("apprise", http.url.replace("http://", "json://")), notice())
    assert failure is not None
    assert failure.reason.startswith("refused to connect to ::1")


def test_an_operator_may_allow_private_addresses(http: HttpReceiver) -> None:
    assert sender.deliver(settings("webhook", http.url, allow_private=True), notice()) is None
    target = http.url.replace("http://", "json://")
    assert sender.deliver(settings("apprise", target, allow_private=True), notice()) is None
    assert len(http.received) == 2


def test_nothing_is_refused_outside_of_the_block(http: HttpReceiver) -> None:
    with guard.public_only(), pytest.raises(requests.ConnectionError):
        requests.get(http.url, timeout=5)
    assert requests.get(http.url, timeout=5).status_code == 204


@pytest.mark.parametrize("target", ["\0abstract", "/run/docker.sock"])
def test_sockets_of_this_machine_are_refused(target: str) -> None:
    with guard.public_only(), socket.socket(socket.AF_UNIX) as one, pytest.raises(guard.RefusedError, match="within"):
        one.connect(target)


def test_datagrams_are_looked_at_too() -> None:
    with guard.public_only(), socket.socket(type=socket.SOCK_DGRAM) as one:
        for send in (lambda: one.sendto(b"x", ("127.0.0.1", 9)), lambda: one.sendmsg([b"x"], [], 0, ("127.0.0.1", 9))):
            with pytest.raises(guard.RefusedError, match=r"127.0.0.1"):
                send()
