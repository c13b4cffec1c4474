"""Settings come from the environment, then ``monitor.toml``, then defaults; a bad one is named in one line."""

import os
from pathlib import Path

import pytest

from monitor.config import ConfigError, Settings, load_settings


@pytest.fixture(autouse=True)
def _clean(settings_directory: Path) -> None:
    """No test here reads this machine's configuration."""


@pytest.fixture
def settings_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("MONITOR_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    settings_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings_directory / "monitor.toml").write_text("alerts_per_day = 5\npatience_days = 7\n")
    monkeypatch.setenv("MONITOR_ALERTS_PER_DAY", "50")
    found = load_settings()
    assert (found.alerts_per_day, found.patience_days, found.half_life_days) == (50.0, 7.0, 60.0)


def test_sources_are_tables_of_the_file(settings_directory: Path) -> None:
    (settings_directory / "monitor.toml").write_text(
        '[[sources]]\nname = "vpn"\nurl = "postgresql://reader:geheim@db/vpn"\n'
        'query = "SELECT 1"\noverlap_minutes = 5\n'
    )
    (source,) = load_settings().sources
    assert (source.name, source.overlap_minutes) == ("vpn", 5.0)
    assert source.url and source.url.get_secret_value() == "postgresql://reader:geheim@db/vpn"


def test_passwords_are_not_shown(settings_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", "postgresql://monitor:geheim@db/monitor")
    found = load_settings()
    assert "geheim" not in f"{found!r} {found} {found.model_dump()} {found.model_dump_json()}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alerts_per_day = 0", "alerts_per_day: .*greater than 0"),
        ('alerts_per_day = "many"', "alerts_per_day: .*number"),
        ("alert_per_day = 3", "alert_per_day: .*not permitted"),
        ("target_precision = 1.5", "target_precision: .*less than 1"),
        ("[[sources]]\nname = 'x'", "sources.0: .*a source of kind sql needs query and url"),
        ("[[sources]]\nname = 'x'\nkind = 'oktta'", "sources.0.kind: .*'keycloak'"),
        ("[[sources]]\nname = 'x'\nkind = 'okta'\nurl = 'u'", "kind okta needs secret"),
        ("[[sources]]\nname = 'x'\nkind = 'okta'\nurl = 'u'\nsecret = 's'\ntenant = 't'", "has no use for tenant"),
        (
            "[[sources]]\nname = 'x'\nkind = 'okta'\nurl = 'u'\nsecret = 's'\nsecret_file = 'f'",
            "give secret or secret_file",
        ),
        (2 * "[[sources]]\nname = 'x'\nkind = 'keycloak'\nurl = 'u'\n", "two sources are called 'x'"),
        ("no toml at all", "configuration: "),
        ("score_seconds = nan", "score_seconds: "),
    ],
)
def test_a_bad_value_is_named_in_one_line(text: str, says: str, settings_directory: Path) -> None:
    (settings_directory / "monitor.toml").write_text(text)
    with pytest.raises(ConfigError, match=says) as raised:
        load_settings()
    assert "\n" not in str(raised.value)


def test_a_binary_configuration_file_is_explained(settings_directory: Path) -> None:
    (settings_directory / "monitor.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="configuration: "):
        load_settings()


def test_a_bad_value_in_the_environment_is_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_SOURCES", "postgresql://reader:geheim@db/vpn")
    with pytest.raises(ConfigError) as raised:
        load_settings()
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATA_DIR", "DETECTOR", "ALERTS_PER_DAY"])
def test_an_empty_variable_is_an_error_rather_than_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MONITOR_{name}", "")
    with pytest.raises(ConfigError, match=f"^configuration: {name.lower()}: is empty; leave it out"):
        load_settings()


def test_a_named_configuration_file_must_exist(monkeypatch: pytest.MonkeyPatch, settings_directory: Path) -> None:
    monkeypatch.setenv("MONITOR_CONFIG", "elsewhere.toml")
    with pytest.raises(ConfigError, match=r"elsewhere\.toml"):
        load_settings()
    (settings_directory / "elsewhere.toml").write_text("patience_days = 3")
    assert load_settings().patience_days == 3


def test_the_data_directory_does_not_depend_on_the_working_directory() -> None:
    assert Settings().data_dir.is_absolute()
