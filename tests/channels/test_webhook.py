"""The webhook is what Standard Webhooks asks of a sender."""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator

import pytest
import standardwebhooks
from receivers import HOSTILE, KEY, SECRET, HttpReceiver, digest, http_receiver, notice, settings

from monitor.channels import ChannelError
from monitor.channels.webhook import Webhook


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


def test_a_receiver_can_verify_it_with_any_library_or_by_hand(http: HttpReceiver) -> None:
    Webhook(settings("webhook", f"{http.url}/hook?x=1")).send(notice())
    (got,) = http.received
    verified = standardwebhooks.Webhook(SECRET).verify(got.body, got.headers)
    assert (got.path, got.headers["content-type"]) == ("/hook?x=1", "application/json")
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    digested = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(digested).decode()}"
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 5
    assert verified["id"] == got.headers["webhook-id"] == str(KEY)
    assert (verified["type"], verified["data"]["headline"]) == ("alert.opened", "First login from Lagos; new device")
    assert verified["data"]["event"]["ip"] == "203.0.113.9"


def test_neither_body_nor_key_nor_time_can_be_changed(http: HttpReceiver) -> None:
    Webhook(settings("webhook", http.url)).send(notice())
    (got,) = http.received
    receiver = standardwebhooks.Webhook(SECRET)
    for body, changed in (
        (got.body + b" ", {}),
        (got.body, {"webhook-id": "other"}),
        (got.body, {"webhook-timestamp": str(int(got.headers["webhook-timestamp"]) - 1)}),
    ):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            receiver.verify(body, got.headers | changed)


def test_a_digest_is_an_event_of_its_own_type(http: HttpReceiver) -> None:
    Webhook(settings("webhook", http.url)).send(digest())
    document = http.received[0].json
    assert document["type"] == "digest.daily"
    assert document["data"]["opened"] == {"critical": 1, "high": 2}


@pytest.mark.parametrize(
    ("status", "headers", "reason", "final", "wait"),
    [
        (500, {}, "answered 500", False, None),
        (404, {"retry_after": "9"}, "answered 404", False, None),
        (429, {"retry_after": "120"}, "answered 429", False, 120.0),
        (503, {"retry_after": "99999999"}, "answered 503", False, 86_400.0),
        (503, {"retry_after": "Fri, 31 Dec 1999 23:59:59 GMT"}, "answered 503", False, None),
        (302, {"location": "http://127.0.0.1:1/"}, "redirects are not followed", False, None),
        (410, {}, "answered 410", True, None),
    ],
)
def test_anything_but_success_is_a_failure_with_its_reason(
    status: int, headers: dict[str, str], reason: str, final: bool, wait: float | None, http: HttpReceiver
) -> None:
    http.will(status, **headers)
    with pytest.raises(ChannelError, match=reason) as raised:
        Webhook(settings("webhook", http.url)).send(notice())
    assert (raised.value.final, raised.value.wait_seconds) == (final, wait)
    assert len(http.received) == 1


def test_a_receiver_that_does_not_answer_is_given_up(http: HttpReceiver) -> None:
    http.will(204, seconds=3)
    with pytest.raises(ChannelError, match="timed out"):
        Webhook(settings("webhook", http.url, timeout_seconds=1)).send(notice())


def test_the_reason_of_a_failure_names_no_part_of_the_target() -> None:
    for target, reason in (
        ("http://127.0.0.1:1/secret-token", "Connection refused"),
        ("http://secret-token.invalid/", "not known|resolution"),
    ):
        with pytest.raises(ChannelError, match=reason) as raised:
            Webhook(settings("webhook", target)).send(notice())
        assert "secret-token" not in str(raised.value)


def test_attackers_words_arrive_as_they_were_typed(http: HttpReceiver) -> None:
    Webhook(settings("webhook", http.url)).send(notice(user_name=HOSTILE))
    assert http.received[0].body.isascii()
    assert http.received[0].json["data"]["user_name"] == HOSTILE
