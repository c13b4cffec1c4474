"""Sending in a process of its own: bounded in time, started again when it dies, and silent about secrets."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from receivers import SECRET, HttpReceiver, digest, http_receiver, notice, settings

from monitor.channels import sender as module
from monitor.channels.sender import Sender


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


def test_one_process_sends_many_notices_of_either_kind(http: HttpReceiver) -> None:
    with Sender(settings("webhook", http.url, allow_private=True)) as sender:
        assert sender.send(notice()) is None
        first = sender._process
        assert sender.send(digest()) is None
        assert sender._process is first
    assert [got.json["type"] for got in http.received] == ["alert.opened", "digest.daily"]
    assert first is not None
    assert first.returncode is not None  # it is gone


def test_what_is_refused_in_the_process_is_told(http: HttpReceiver) -> None:
    with Sender(settings("webhook", http.url)) as sender:
        failure = sender.send(notice())
    assert failure is not None
    assert "refused to connect to 127.0.0.1" in failure.reason
    assert http.received == []


def test_a_notice_that_hangs_is_ended_and_the_next_one_sent(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 1.0)
    with Sender(settings("webhook", http.url, allow_private=True, timeout_seconds=3)) as sender:
        assert sender.send(notice()) is None
        assert sender._process is not None
        os.kill(sender._process.pid, signal.SIGSTOP)  # stands for a library that waits for ever
        asked = time.monotonic()
        failure = sender.send(notice())
        assert time.monotonic() - asked < 6
        assert failure is not None
        assert failure.reason == "took too long and was ended"
        assert sender.send(notice()) is None


def test_a_process_that_dies_is_a_failure_and_replaced(http: HttpReceiver) -> None:
    with Sender(settings("webhook", http.url, allow_private=True)) as sender:
        assert sender.send(notice()) is None
        assert sender._process is not None
        sender._process.kill()
        sender._process.wait()
        failure = sender.send(notice())
        assert failure is not None
        assert failure.reason == "the process that sends ended early"
        assert sender.send(notice()) is None


def test_the_list_of_processes_shows_no_secret(http: HttpReceiver) -> None:
    with Sender(settings("webhook", f"{http.url}/token-of-the-channel", allow_private=True)) as sender:
        sender.send(notice())
        assert sender._process is not None
        process = Path(f"/proc/{sender._process.pid}")
        if not process.exists():
            pytest.skip("there is no /proc")
        shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert b"token-of-the-channel" not in shown
    assert SECRET.encode() not in shown


def test_a_fault_of_a_library_is_a_failure_of_that_notice_alone(
    http: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        public_only = False

        def send(self, notice: object) -> None:
            raise ZeroDivisionError("with the secret target in its words")

    monkeypatch.setattr(module, "channel", lambda settings: Broken())
    assert module.deliver(settings("jsonl", "x"), notice()) == module.Failure("ZeroDivisionError")


def test_the_process_ends_when_the_one_that_started_it_is_killed(http: HttpReceiver) -> None:
    with Sender(settings("webhook", http.url, allow_private=True)) as sender:
        sender.send(notice())
        process = sender._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()  # what the system does for a process that is killed
        try:
            assert process.wait(10) == 0
        except subprocess.TimeoutExpired:
            pytest.fail("it still waits")
