"""Settings of one installation: the environment first, then ``monitor.toml``, then these defaults.

This module is the only reader of the environment. Anything that may carry a password is a ``SecretStr``,
so that printing or logging settings never shows it.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import platformdirs
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from monitor.channels.settings import ChannelSettings
from monitor.events import MonitorError

DEFAULT_FILE = "monitor.toml"

#: A shorter key could be found by trying.
LEAST_KEY_BYTES = 32

Seconds = Annotated[float, Field(gt=0, le=7 * 86_400)]
Hours = Annotated[float, Field(gt=0, le=10_000)]


def _networks(value: object) -> object:
    return [ip_network(part) for part in value.replace(",", " ").split()] if isinstance(value, str) else value


#: "10.0.0.5, 10.1.0.0/16".
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]


class ConfigError(MonitorError):
    """The environment or ``monitor.toml`` says something that cannot be used."""


class SourceSettings(BaseModel):
    """One place that logins are pulled from: a database, or the API of a provider.

    ``kind`` says which, and with it what else is needed. ``sql`` is any PostgreSQL database: ``query`` is a SELECT that
    returns canonical columns. ``secret`` (or what the file ``secret_file`` holds) is the provider's key, token or
    password. Each pull reads again the ``overlap_minutes`` before the latest login seen: that is how late a login may
    arrive. The first pull goes back ``history_days``.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    kind: Literal["sql", "keycloak", "okta", "entra", "auth0", "duo", "google_workspace"] = "sql"
    url: SecretStr | None = None
    query: str | None = Field(default=None, min_length=1)
    tenant: str | None = Field(default=None, min_length=1)
    client_id: str | None = Field(default=None, min_length=1)
    secret: SecretStr | None = Field(default=None, min_length=1)
    secret_file: Path | None = None
    subject: str | None = Field(default=None, min_length=1)
    overlap_minutes: float = Field(default=360.0, ge=0)
    history_days: float = Field(default=30.0, gt=0, le=3_660)
    pull_seconds: Seconds | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "SourceSettings":
        given = {name for name in _SOURCE_KEYS if getattr(self, name) is not None}
        if "secret_file" in given:
            if "secret" in given:
                raise ValueError("give secret or secret_file, not both")
            given = given - {"secret_file"} | {"secret"}
        needed, allowed = _SOURCE_KINDS[self.kind]
        if absent := sorted(needed - given):
            raise ValueError(f"a source of kind {self.kind} needs {' and '.join(absent)}")
        if unused := sorted(given - needed - allowed):
            raise ValueError(f"a source of kind {self.kind} has no use for {' and '.join(unused)}")
        return self

    def credential(self) -> str:
        """The secret; read anew from its file at each pull, so that a new one counts at once."""
        if self.secret_file is None:
            return self.secret.get_secret_value() if self.secret else ""
        try:
            return self.secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or "is no UTF-8 text"
            raise ConfigError(f"its secret_file {self.secret_file} cannot be read: {reason}") from None


#: APIs without a position in their log list the whole overlap at each pull, and ask not to be asked more often.
_RELISTED = ("entra", "duo", "google_workspace")
RELISTING_SECONDS = 300.0

_SOURCE_KEYS = ("url", "query", "tenant", "client_id", "secret", "secret_file", "subject")
#: What each kind of source needs, and what else it may be given.
_SOURCE_KINDS: dict[str, tuple[set[str], set[str]]] = {
    "sql": ({"url", "query"}, set()),
    "keycloak": ({"url"}, set()),
    "okta": ({"url", "secret"}, {"client_id"}),
    "entra": ({"tenant", "client_id", "secret"}, {"url"}),
    "auth0": ({"url", "client_id", "secret"}, set()),
    "duo": ({"url", "client_id", "secret"}, set()),
    "google_workspace": ({"secret", "subject"}, {"url"}),
}


Named = TypeVar("Named", SourceSettings, ChannelSettings)


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
    #: Logins below the threshold that are shown to reviewers all the same, by chance: to know what is missed.
    audit_sample_per_day: float = Field(default=2.0, ge=0)
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

    #: Files in MaxMind's format that say where an address is, and whose; read again when they are replaced.
    geo_city_db: Path | None = None
    geo_asn_db: Path | None = None
    #: Kinds of networks (tor, vpn, hosting, …), each with a file of its ranges; the first that holds an address counts.
    network_lists: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,29}$")], Path] = {}

    #: ``host:port`` where ``monitor run`` answers /metrics, /healthz and /readyz; None answers nowhere.
    metrics_address: Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^:\s]+):\d{1,5}$")] | None = None
    #: Who knows it reads /metrics of the review pages (as a bearer token); without one nobody does.
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    #: A file of at least 32 secret bytes; with it, names and addresses are stored as pseudonyms made with that key.
    pseudonym_key_file: Path | None = None

    #: The keys that seal the secrets of one-time codes; made by the first ``monitor reviewer add`` where it is missing.
    secret_key_file: Path | None = None
    #: Addresses and networks of proxies in front of the review pages, whose X-Forwarded-For may be believed.
    web_trusted_proxy: Networks = ()
    #: Whether browsers reach the review pages by HTTPS (through that proxy): cookies are then sent by HTTPS only.
    web_https: bool = False

    #: Where people reach the review pages: notices link there.
    web_url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"']+$")] | None = None

    sources: list[SourceSettings] = []
    channels: list[ChannelSettings] = []

    @field_validator("*", mode="before")
    @classmethod
    def _not_empty(cls, given: object) -> object:
        """A variable that was meant to be filled must not mean the embedded database, or the working directory."""
        if given == "":
            raise ValueError("is empty; leave it out for the default")
        return given

    @field_validator("sources", "channels")
    @classmethod
    def _each_once(cls, configured: list[Named], about: ValidationInfo) -> list[Named]:
        names = [each.name for each in configured]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two {about.field_name} are called {twice[0]!r}, but what was done is remembered by name")
        return configured

    def _pull_interval(self, source: SourceSettings) -> float:
        usual = max(self.pull_seconds, RELISTING_SECONDS) if source.kind in _RELISTED else self.pull_seconds
        return source.pull_seconds or usual

    @property
    def key_file(self) -> Path:
        """Where the keys are that seal secrets: outside the database, beside it where it is the embedded one."""
        return self.secret_key_file or self.data_dir / "secret.key"

    @property
    def intervals(self) -> Mapping[str, timedelta]:
        """How often ``monitor run`` runs each job; the job is ``monitor.jobs.<name>.run``."""
        return {
            **{f"pull {source.name}": timedelta(seconds=self._pull_interval(source)) for source in self.sources},
            "score": timedelta(seconds=self.score_seconds),
            **{f"notify {channel.name}": timedelta(seconds=self.notify_seconds) for channel in self.channels},
            "calibrate": timedelta(hours=self.calibrate_hours),
            "train": timedelta(hours=self.train_hours),
            "prune": timedelta(hours=self.prune_hours),
        }

    def pseudonym_key(self) -> bytes | None:
        """The key that pseudonyms are made with; None where names are stored as they are."""
        if self.pseudonym_key_file is None:
            return None
        try:
            secret = self.pseudonym_key_file.read_bytes().strip()
        except OSError as error:
            raise ConfigError(f"MONITOR_PSEUDONYM_KEY_FILE {self.pseudonym_key_file}: {error.strerror}") from None
        if len(secret) < LEAST_KEY_BYTES:
            raise ConfigError(f"MONITOR_PSEUDONYM_KEY_FILE holds {len(secret)} bytes; {LEAST_KEY_BYTES} are needed")
        return blake2b(secret, digest_size=64).digest()

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
        raise ConfigError(f"configuration: {key}: {first['msg'].removeprefix('Value error, ')}") from None
    except (ValueError, OSError) as error:
        # tomllib's errors, and the settings library's on values that are no JSON
        raise ConfigError(f"configuration: {str(error).splitlines()[0]}") from None


def isolated_environment(**settings: str) -> dict[str, str]:
    """The environment for a child process that must see these settings (``MONITOR_`` is prefixed) and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    return inherited | {f"MONITOR_{name.upper()}": value for name, value in settings.items()}
