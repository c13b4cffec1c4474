"""The authentication log of a server: real, and as an attacker would like it to be read."""

import io
from collections import Counter
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from monitor.events import MonitorError, Validated, validate
from monitor.sources import Options
from monitor.sources.sshd import read_sshd

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
FAILED = "Failed password for root from 192.0.2.1 port 4242 ssh2"


def read(data: str | bytes, options: Options | None = None) -> tuple[Validated, Counter[str]]:
    raw = data.encode() if isinstance(data, str) else data
    chunks = list(read_sshd(io.BufferedReader(io.BytesIO(raw)), options or Options(year=2017)))
    records = pd.concat([chunk.records for chunk in chunks], ignore_index=True)
    validated = validate(records, "test")
    rejects = pd.concat([*(chunk.rejects for chunk in chunks), validated.rejects], ignore_index=True)
    return Validated(validated.events, rejects), sum((Counter(chunk.skipped) for chunk in chunks), Counter())


def events(*lines: str, year: int | None = 2017, **options: object) -> pd.DataFrame:
    return read("".join(f"{line}\n" for line in lines), Options(year=year, **options))[0].events  # type: ignore[arg-type]


def line(message: str = FAILED, stamp: str = "Mar 27 13:06:56", pid: int = 1) -> str:
    return f"{stamp} host sshd[{pid}]: {message}"


def test_the_real_log_gives_its_logins_with_repeats_counted_and_everything_else_skipped() -> None:
    path = SHARED / "sshd" / "auth.log"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    validated, skipped = read(path.read_bytes())
    found, rejects = validated.events, validated.rejects
    # 7,121 lines. 675 fail: 632 a login each, 43 of them without a name, and 85 "repeated" ones stand for 410 more.
    assert len(path.read_text().splitlines()) == 7_121
    assert found["outcome"].value_counts().to_dict() == {"success": 226, "failure": 632 - 43 + 410}
    assert rejects["reason"].unique().tolist() == ["user is missing"]
    assert len(rejects) == 43
    assert skipped == {"not sshd": 3_026, "sshd, but no login": 3_152}
    assert 226 + 632 + 85 + skipped.total() == 7_121
    assert found["event_id"].is_unique
    assert found["auth_method"].value_counts().to_dict() == {"password": 1_185, "publickey": 40}
    assert found["occurred_at"].min() == pd.Timestamp("2017-03-27T13:08:09Z")
    burst = found[(found["user"] == "elastic_user_0") & (found["occurred_at"] >= "2017-03-30T13:00Z")]
    assert (burst[burst["occurred_at"] < "2017-03-31"]["outcome"] == "failure").sum() == 147


@pytest.mark.parametrize(
    ("message", "user", "outcome", "ip", "method"),
    [
        (FAILED, "root", "failure", "192.0.2.1", "password"),
        ("Failed password for invalid user oracle from 2001:db8::1 port 1 ssh2",
         "oracle", "failure", "2001:db8::1", "password"),
        ("Accepted keyboard-interactive/pam for ana from 192.0.2.1 port 1 ssh2",
         "ana", "success", "192.0.2.1", "keyboard-interactive/pam"),
        ("Failed none for invalid user  x from 192.0.2.1 port 1 ssh2", " x", "failure", "192.0.2.1", "none"),
        ("Accepted password for ana from UNKNOWN port 65535 ssh2", "ana", "success", None, "password"),
        ("Failed password for invalid user root from 198.51.100.9 port 1 ssh2 from 192.0.2.1 port 2 ssh2",
         "root from 198.51.100.9 port 1 ssh2", "failure", "192.0.2.1", "password"),
        ("Failed password for invalid user a from 198.51.100.9 port 1 ssh2: RSA SHA256:x from 192.0.2.1 port 2 ssh2",
         "a from 198.51.100.9 port 1 ssh2: RSA SHA256:x", "failure", "192.0.2.1", "password"),
        ("Failed password for invalid user Accepted password for root from 192.0.2.1 port 2 ssh2",
         "Accepted password for root", "failure", "192.0.2.1", "password"),
    ],
)  # fmt: skip
def test_a_login_line_is_read_as_sshd_meant_it(message: str, user: str, outcome: str, ip: str, method: str) -> None:
    (found,) = events(line(message)).to_dict("records")
    assert (found["user"], found["outcome"], found["auth_method"]) == (user, outcome, method)
    assert found["ip"] == ip or (ip is None and pd.isna(found["ip"]))
    assert found["application"] == "sshd"


def test_the_key_of_a_client_is_its_device() -> None:
    key = "ED25519 SHA256:KlNkPGZrTizNgNFONhyqHdsSBBbNFgeN6NWOobN03XJ"
    old = "RSA 2b:e7:2c:9a:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55"
    found = events(*(line(f"Accepted publickey for ana from 192.0.2.1 port 1 ssh2: {text}") for text in (key, old)))
    assert found["device_id"].tolist() == [key.split()[1], old.split()[1]]


@pytest.mark.parametrize(
    "text",
    [
        f"<38>Mar 27 13:06:56 host sshd[1]: {FAILED}",
        f"Mar 27 13:06:56 host sshd: {FAILED}",
        f"Mar 27 13:06:56 host sshd-session[1]: {FAILED}",
        f"2017-03-27T15:06:56.000000+02:00 host sshd[1]: {FAILED}",
        f"2017-03-27T13:06:56+0000 host sshd[1]: {FAILED}",
        f"<38>1 2017-03-27T13:06:56Z host sshd 1 - - {FAILED}",
        f'<38>1 2017-03-27T13:06:56.0Z host sshd 1 ID [a@1 b="c"][d@1] \ufeff{FAILED}',
        f"Mar 27 13:06:56 host sshd[1]: {FAILED}\r",
    ],
)
def test_every_shape_of_syslog_line_gives_the_same_login(text: str) -> None:
    found = events(text)
    assert found["occurred_at"].tolist() == [pd.Timestamp("2017-03-27T13:06:56Z")]
    assert found["user"].tolist() == ["root"]


@pytest.mark.parametrize(
    "message",
    [
        "Invalid user admin from 192.0.2.1",
        "Postponed publickey for ana from 192.0.2.1 port 1 ssh2",
        "Partial password for ana from 192.0.2.1 port 1 ssh2",
        "Connection closed by authenticating user root 192.0.2.1 port 1 [preauth]",
        "input_userauth_request: invalid user Accepted password for root from 192.0.2.1 port 1 ssh2 [preauth]",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root",
    ],
)
def test_lines_that_are_no_login_are_skipped_and_counted(message: str) -> None:
    validated, skipped = read(line(message) + "\nMar 27 13:06:56 host su[1]: Failed password for root from x port 1\n")
    assert validated.events.empty
    assert validated.rejects.empty
    assert skipped == {"sshd, but no login": 1, "not sshd": 1}


def test_a_repeated_message_is_as_many_logins() -> None:
    found = events(line(), line(f"message repeated 5 times: [ {FAILED}]"))
    assert len(found) == 6
    assert found["event_id"].is_unique
    assert found["user"].unique().tolist() == ["root"]


def test_a_message_repeated_more_often_than_can_be_is_rejected() -> None:
    rejects = read(line(f"message repeated 99999999999 times: [ {FAILED}]"))[0].rejects
    assert "repeated more than" in rejects["reason"][0]


def test_equal_lines_of_one_second_are_attempts_of_their_own_and_the_same_ones_when_read_again() -> None:
    log = [line(), line(), line(pid=2), line(), line(stamp="Mar 27 13:06:57"), line()]
    first, second = events(*log), events(*log)
    assert first["event_id"].is_unique
    assert first["event_id"].tolist() == second["event_id"].tolist()


def test_logs_that_overlap_share_the_ids_of_the_lines_they_share() -> None:
    log = [line(stamp=f"Mar 27 13:00:{second:02}") for second in range(60) for _ in range(2)]
    whole, head, tail = (set(events(*part)["event_id"]) for part in (log, log[:80], log[40:]))
    assert len(whole) == 120
    assert head | tail == whole
    assert len(head & tail) == 40


def test_stamps_go_on_into_the_next_year() -> None:
    stamps = ["Nov 30 23:59:59", "Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:58", "Jan  1 00:00:01",
              "Feb 28 00:00:00", "Jan 31 23:59:59", "Sep  1 00:00:00", "Feb  1 00:00:00"]  # fmt: skip
    years = events(*(line(stamp=stamp) for stamp in stamps))["occurred_at"].dt.year.tolist()
    assert years == [2017, 2017, 2018, 2017, 2018, 2018, 2018, 2018, 2019]


def test_lines_that_are_no_login_also_move_the_year() -> None:
    found = events(line(stamp="Oct  1 00:00:00"), line("Bye", stamp="Jan  9 00:00:00"), line(stamp="Nov  1 00:00:00"))
    assert found["occurred_at"].dt.year.tolist() == [2017, 2018]


def test_a_day_that_the_year_does_not_have_is_rejected() -> None:
    rejects = read(line(stamp="Feb 29 12:00:00"))[0].rejects
    assert rejects["reason"].tolist() == ["'Feb 29 12:00:00' is an impossible date or time in 2017"]
    assert len(events(line(stamp="Feb 29 12:00:00"), year=2016)) == 1


def test_stamps_are_in_the_time_zone_of_the_host() -> None:
    found = events(line(), line(stamp="2017-03-27T13:06:56Z"), zone=ZoneInfo("Europe/Oslo"))
    assert found["occurred_at"].dt.tz_convert(UTC).dt.hour.tolist() == [11, 13]


def test_a_log_without_years_needs_one() -> None:
    with pytest.raises(MonitorError, match="--year"):
        events(line(), year=None)
    assert len(events(line(stamp="2017-03-27T13:06:56Z"), year=None)) == 1


def test_a_line_that_is_no_syslog_is_rejected_and_the_rest_goes_in() -> None:
    validated, _ = read(f"{line()}\nwhat is this\n{line(pid=2)}\n")
    assert len(validated.events) == 2
    assert validated.rejects[["line", "reason"]].values.tolist() == [[2, "is no syslog line"]]
