"""A channel that could not work is refused when the configuration is read, in one line without its secrets."""

import re
from pathlib import Path
from typing import Any

import pytest
from receivers import SECRET

from monitor.channels import channel
from monitor.config import ConfigError, load_settings


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    file = tmp_path / "monitor.toml"
    monkeypatch.setenv("MONITOR_CONFIG", str(file))

    def write(text: str) -> Any:
        file.write_text(text)
        return load_settings().channels

    return write


def test_a_channel_is_a_table_of_the_file(write: Any) -> None:
    (channel,) = write(
        f'[[channels]]\nname = "soc"\nkind = "webhook"\ntarget = "https://soc.example/hook"\nsecret = "{SECRET}"\n'
        'quiet_hours = "22:00-07:00"\ndigest_at = 08:30:00\ntime_zone = "Europe/Berlin"\n'
    )
    assert [moment.hour for moment in channel.quiet_hours] == [22, 7]
    assert (channel.digest_at.hour, channel.digest_at.minute) == (8, 30)
    assert SECRET not in repr(channel)
    assert "soc.example" not in repr(channel)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('kind = "pigeon"\ntarget = "x"', "kind"),
        ('kind = "webhook"\ntarget = "https://x.example/geheim"', "whsec_ and 24 to 64 bytes"),
        ('kind = "webhook"\ntarget = "https://x.example/geheim"\nsecret = "geheim"', "whsec_ and 24 to 64 bytes"),
        ('kind = "webhook"\ntarget = "https://x.example/geheim"\nsecret = "whsec_Z2VoZWlt"', "24 to 64 bytes"),
        (f'kind = "webhook"\ntarget = "ftp://geheim"\nsecret = "{SECRET}"', "https://host/path"),
        (f'kind = "webhook"\ntarget = "http://[geheim"\nsecret = "{SECRET}"', "https://host/path"),
        ('kind = "syslog"\ntarget = "siem.example:514"', "udp://host:514"),
        ('kind = "syslog"\ntarget = "tcp://siem.example"', "udp://host:514"),
        ('kind = "syslog"\ntarget = "tcp://siem.example:99999"', "udp://host:514"),
        ('kind = "ocsf"\ntarget = "x"\ndigest_at = "08:00"', "has no digest"),
        ('kind = "jsonl"\ntarget = "x"\nalerts = false', "would tell nothing"),
        ('kind = "jsonl"\ntarget = "x"\ntime_zone = "Mars/Olympus"', "is no time zone"),
        ('kind = "jsonl"\ntarget = "x"\ntime_zone = "../../etc/passwd"', "is no time zone"),
        ('kind = "jsonl"\ntarget = "x"\nquiet_hours = "22-7-1"', "quiet_hours"),
        ('kind = "jsonl"\ntarget = "x"\nquiet_hours = "25:00-07:00"', "quiet_hours"),
        ('kind = "jsonl"\ntarget = "x"\ndigest_at = "08:00Z"', "no zone of their own"),
        ('kind = "jsonl"\ntarget = "x"\ntimeout_seconds = 0', "timeout_seconds"),
        ('kind = "jsonl"\ntarget = "x"\ncolour = "red"', "colour"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(lines: str, says: str, write: Any) -> None:
    with pytest.raises(ConfigError, match=says) as raised:
        write(f'[[channels]]\nname = "soc"\n{lines}\n')
    assert "geheim" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_two_channels_cannot_have_one_name(write: Any) -> None:
    with pytest.raises(ConfigError, match="two channels are called 'soc'"):
        write('[[channels]]\nname = "soc"\nkind = "jsonl"\ntarget = "a"\n' * 2)


def test_every_example_of_the_documentation_is_a_channel_that_can_be_made(write: Any) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "channels.md").read_text()
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    found = write("\n".join(examples))
    assert {one.kind for one in found} == {"apprise", "webhook", "syslog"}
    for one in found:
        channel(one)
