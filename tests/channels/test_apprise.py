"""Mail and services through Apprise: what people get to read, and what a failure says."""

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from receivers import HOSTILE, KEY, HttpReceiver, Mailbox, digest, http_receiver, notice, settings, smtp_receiver

from monitor.channels import ChannelError, sender
from monitor.channels.apprise import Apprise


@pytest.fixture
def mailbox() -> Iterator[tuple[str, Mailbox]]:
    with smtp_receiver() as receiver:
        yield receiver


@pytest.fixture
def http() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


def plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_mail_goes_to_a_relay_in_the_own_network_without_being_allowed(mailbox: tuple[str, Mailbox]) -> None:
    target, box = mailbox
    assert sender.deliver(settings("apprise", target), notice()) is None
    ((recipients, mail),) = box.mails
    assert recipients == ["soc@corp.example"]
    assert mail["subject"] == "Login alert, high: ada@corp.example"
    assert "First login from Lagos; new device" in plain(mail)
    assert f"notice {KEY}" in plain(mail)


def test_no_name_adds_a_header_or_markup_to_a_mail(mailbox: tuple[str, Mailbox]) -> None:
    target, box = mailbox
    Apprise(settings("apprise", target)).send(notice(user_name=HOSTILE, headline=HOSTILE))
    ((recipients, mail),) = box.mails
    assert recipients == ["soc@corp.example"]
    assert "bcc" not in {name.lower() for name in mail}
    assert "\n" not in mail["subject"]
    html = mail.get_body(("html",))
    for part in filter(None, (html, mail.get_body(("plain",)))):
        assert "<a href" not in part.get_content()
        assert "@everyone" not in part.get_content()


def test_a_digest_is_one_mail(mailbox: tuple[str, Mailbox]) -> None:
    target, box = mailbox
    Apprise(settings("apprise", target)).send(digest())
    assert box.mails[0][1]["subject"] == "Login alerts: 3 new, 5 waiting"


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_whatever_form_a_service_wants_a_name_calls_nobody(form: str, http: HttpReceiver) -> None:
    target = http.url.replace("http://", "json://") + f"/?format={form}"
    Apprise(settings("apprise", target)).send(notice(user_name=HOSTILE, headline=HOSTILE))
    said = http.received[0].json
    for text in (said["title"], said["message"]):
        assert "@everyone" not in text
        assert "](" not in text
        assert "<!" not in text
        assert "://evil" not in text


def test_a_service_that_fails_is_a_failure_whose_reason_holds_no_secret(http: HttpReceiver) -> None:
    http.will(500)
    target = http.url.replace("http://", "json://user:geheimnis@") + "/token-of-the-channel"
    with pytest.raises(ChannelError) as raised:
        Apprise(settings("apprise", target)).send(notice())
    assert "500" in str(raised.value)
    assert "geheimnis" not in str(raised.value)
    assert "token-of-the-channel" not in str(raised.value)


def test_a_target_that_apprise_does_not_know_is_final_and_not_repeated_in_the_reason() -> None:
    failure = sender.deliver(settings("apprise", "nonsense://geheimnis"), notice())
    assert failure is not None
    assert failure.final
    assert "geheimnis" not in failure.reason
