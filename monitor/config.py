"""Settings of one installation: the environment first, then ``monitor.toml``, then these defaults.

This module is the only reader of the environment. Anything that may carry a password is a ``SecretStr``,
so that printing or logging settings never shows it.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from monitor.channels.settings import ChannelSettings
from monitor.events import MonitorError

DEFAULT_FILE = "monitor.toml"

Seconds = Annotated[float, Field(gt=0, le=7 * 86_400)]
Hours = Annotated[float, Field(gt=0, le=10_000)]


class ConfigError(MonitorError):
    """The environment or ``monitor.toml`` says something that cannot be used."""


class SourceSettings(BaseModel):
    """One database that logins are pulled from: ``query`` is a SELECT that returns canonical columns.

    Each pull reads again the ``overlap_minutes`` before the latest login seen. That is how late a login may arrive.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    url: SecretStr
    query: str = Field(min_length=1)
    overlap_minutes: float = Field(default=360.0, ge=0)


def _default_data_dir() -> Path:
    """Where the embedded database lives: the same place whatever directory a command is started in.

    Root's home is closed to the unprivileged user that runs the server, hence ``/var/lib`` for root.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/login-anomaly-monitor")
    return platformdirs.user_data_path("login-anomaly-monitor")


class Settings(BaseSettings):
    """Every setting, with its default; ``MONITOR_<NAME>`` in the environment wins over ``monitor.toml``."""

    model_config = SettingsConfigDict(env_prefix="MONITOR_", env_nested_delimiter="__", extra="forbid")

    database_url: SecretStr | None = None
    data_dir: Path = Field(default_factory=_default_data_dir)

    alerts_per_day: float = Field(default=20.0, gt=0)
    target_precision: float = Field(default=0.5, gt=0, lt=1)
    detector: str = "lstm_autoencoder"
    half_life_days: float = Field(default=60.0, gt=0)
    patience_days: float = Field(default=14.0, ge=0)
    retention_days: int | None = Field(default=None, ge=1)

    pull_seconds: Seconds = 30.0
    score_seconds: Seconds = 30.0
    notify_seconds: Seconds = 30.0
    calibrate_hours: Hours = 1.0
    train_hours: Hours = 24.0
    prune_hours: Hours = 24.0
    job_deadline_seconds: Seconds = 3_600.0
    lease_seconds: Annotated[float, Field(ge=0.5, le=600)] = 30.0

    #: ``host:port`` where ``monitor run`` answers /metrics, /healthz and /readyz; None answers nowhere.
    metrics_address: Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^:\s]+):\d{1,5}$")] | None = None
    #: Who knows it reads /metrics of the review pages (as a bearer token); without one nobody does.
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    #: A file of at least 32 secret bytes; with it, names and addresses are stored as pseudonyms made with that key.
    pseudonym_key_file: Path | None = None

    #: The address of a proxy in front of the review pages whose X-Forwarded-For may be believed.
    web_trusted_proxy: str | None = None
    #: Whether browsers reach the review pages by HTTPS (through that proxy): cookies are then sent by HTTPS only.
    web_https: bool = False

    #: Where people reach the review pages: notices link there.
    web_url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"']+$")] | None = None

    sources: list[SourceSettings] = []
    channels: list[ChannelSettings] = []

    @field_validator("channels")
    @classmethod
    def _each_once(cls, channels: list[ChannelSettings]) -> list[ChannelSettings]:
        names = [channel.name for channel in channels]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two channels are called {twice[0]!r}, but what was told is remembered by name")
        return channels

    @property
    def intervals(self) -> Mapping[str, timedelta]:
        """How often ``monitor run`` runs each job; the job is ``monitor.jobs.<name>.run``."""
        return {
            "pull": timedelta(seconds=self.pull_seconds),
            "score": timedelta(seconds=self.score_seconds),
            **{f"notify {channel.name}": timedelta(seconds=self.notify_seconds) for channel in self.channels},
            "calibrate": timedelta(hours=self.calibrate_hours),
            "train": timedelta(hours=self.train_hours),
            "prune": timedelta(hours=self.prune_hours),
        }

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, toml_file=config_file())
        return init_settings, env_settings, toml


def config_file() -> Path:
    """The configuration file in force: ``MONITOR_CONFIG``, else ``monitor.toml`` in the working directory."""
    return Path(os.environ.get("MONITOR_CONFIG", DEFAULT_FILE))


def load_settings() -> Settings:
    """Read the settings of this process; raises ``ConfigError`` with one line that names the bad key."""
    named = os.environ.get("MONITOR_CONFIG")
    if named is not None and not Path(named).is_file():
        raise ConfigError(f"MONITOR_CONFIG names {named}, which is not a file")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        raise ConfigError(f"configuration: {key}: {first['msg']}") from None
    except (ValueError, OSError) as error:
        # tomllib's errors, and the settings library's on values that are no JSON
        raise ConfigError(f"configuration: {str(error).splitlines()[0]}") from None


def isolated_environment(**settings: str) -> dict[str, str]:
    """The environment for a child process that must see these settings (``MONITOR_`` is prefixed) and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    return inherited | {f"MONITOR_{name.upper()}": value for name, value in settings.items()}
