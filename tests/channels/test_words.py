"""Attackers' words are read, and do nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receivers import HOSTILE, digest, notice

from monitor.channels import words


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("@everyone", "＠everyone"),
        ("ada@here", "ada＠here"),
        ("<!channel>", "‹!channel›"),
        ("<@U123|x>", "‹＠U123¦x›"),
        ("[click](http://evil.example)", "⟦click⟧(http∶//evil.example)"),
        ("javascript:x www.evil.example", "javascript:x www․evil.example"),
        ("a\r\nBcc: x@y.example", "a��Bcc: x@y.example"),
        ("\u202egpj.exe\x1b[31m", "�gpj.exe�⟦31m"),
        ("`rm`", "ʼrmʼ"),
        ("anna@corp.example", "anna@corp.example"),
        ("élodie_2 (São Paulo)", "élodie_2 (São Paulo)"),
    ],
)
def test_markup_mentions_links_and_control_characters_become_letters(hostile: str, harmless: str) -> None:
    assert words.inert(hostile) == harmless


@given(st.text(max_size=500))
def test_whatever_is_said_becomes_one_short_line_without_markup(said: str) -> None:
    told = words.inert(said)
    assert told.isprintable()
    assert len(told) <= words.LONGEST
    assert not re.search(r"[<>\[\]`|\\]|://|@(everyone|here|channel|all)\b", told)


def test_no_part_of_a_notice_lets_an_attacker_speak() -> None:
    reason = {"feature": "city", "observed": HOSTILE, "usual": HOSTILE}
    told = notice(user_name=HOSTILE, headline=HOSTILE, reasons=[reason])
    for text in (words.title(told), words.body(told), words.title(notice(kind="test", headline=HOSTILE))):
        assert not re.search(r"@everyone|<!|\]\(|\r|\x1b|\x00|\u202e|://evil", text)
    assert "\n" not in words.title(told)


def test_an_alert_is_told_with_its_reasons_its_key_and_the_way_to_it() -> None:
    assert words.title(notice()) == "Login alert, high: ada@corp.example"
    assert words.title(notice(kind="worsened", severity="critical")).startswith("Login alert, worsened to critical: ")
    assert words.body(notice(accounts=9, status="dismissed")).splitlines() == [
        "First login from Lagos; new device",
        "score 4.2, 3 logins, 2026-03-02 09:00 to 2026-03-02 09:00 UTC",
        "one of 9 accounts in a campaign",
        "dismissed in the meantime",
        "- city: Lagos (usual: Berlin)",
        "- device: unknown (usual: laptop)",
        "",
        "https://monitor.example/alerts/2",
        "",
        "notice 00000000-0000-0000-0000-000000000001",
    ]


def test_a_digest_counts_and_names_the_worst() -> None:
    assert words.title(digest()) == "Login alerts: 3 new, 5 waiting"
    assert words.body(digest()).splitlines()[:3] == [
        "New from 2026-03-02 09:00 to 2026-03-02 09:00 UTC: 1 critical, 2 high",
        "Waiting for a verdict: 5",
        "- critical 6.1: ada@corp.example and 3 more accounts: First login from Lagos",
    ]
    assert "none" in words.body(digest(opened={}, worst=[]))
