"""What the configuration says of one channel."""

from base64 import b64decode
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class ChannelSettings(BaseModel):
    """One place where alerts are told: ``kind`` and ``target`` as in ``monitor/channels`` (docs/channels.md).

    ``quiet_hours`` ("22:00-07:00") and ``digest_at`` are times of day in ``time_zone``.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=60, pattern=r"^[\w.-]+$")
    kind: Literal["apprise", "webhook", "jsonl", "ocsf", "syslog"]
    target: SecretStr
    #: Of a webhook: ``whsec_`` and 24 to 64 random bytes in base64.
    secret: SecretStr | None = None
    #: Certificates to trust instead of the system's, for a webhook or syslog over TLS.
    ca_file: Path | None = None
    minimum_severity: Literal["low", "medium", "high", "critical"] = "medium"
    #: Whether each alert is told; without, the channel gets its digest only.
    alerts: bool = True
    #: Whether the accounts of a campaign are told one by one; without an answer, to machines but not to people.
    campaigns: Literal["each", "once"] | None = None
    digest_at: time | None = None
    quiet_hours: tuple[time, time] | None = None
    critical_in_quiet_hours: bool = False
    time_zone: str = "UTC"
    allow_private: bool = False
    timeout_seconds: Annotated[float, Field(ge=1, le=120)] = 20.0

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def tells_campaigns_once(self) -> bool:
        return (self.campaigns or ("once" if self.kind == "apprise" else "each")) == "once"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone; expected a name such as Europe/Berlin") from None
        return value

    @field_validator("quiet_hours", mode="before")
    @classmethod
    def _span(cls, value: object) -> object:
        return value.split("-") if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        times = [self.digest_at, *(self.quiet_hours or ())]
        if any(moment is not None and moment.tzinfo is not None for moment in times):
            raise ValueError("times of day carry no zone of their own; set time_zone")
        if not self.alerts and self.digest_at is None:
            raise ValueError("the channel would tell nothing: set alerts or digest_at")
        if self.digest_at is not None and self.kind in ("ocsf", "syslog"):
            raise ValueError(f"kind {self.kind} tells alerts one by one and has no digest")
        problem = _TARGETS[self.kind](self) if self.kind in _TARGETS else None
        if problem is not None:
            raise ValueError(problem)
        return self


def _webhook_problem(channel: ChannelSettings) -> str | None:
    try:
        target = urlsplit(channel.target.get_secret_value())
        fits = target.scheme in ("http", "https") and bool(target.hostname) and target.port != 0
    except ValueError:
        fits = False
    if not fits:
        return "the target of a webhook is a URL: https://host/path"
    secret = channel.secret.get_secret_value() if channel.secret else ""
    try:
        size = len(b64decode(secret.removeprefix("whsec_"), validate=True)) if secret.startswith("whsec_") else 0
    except ValueError:
        size = 0
    return None if 24 <= size <= 64 else "the secret of a webhook is whsec_ and 24 to 64 bytes in base64"


def _syslog_problem(channel: ChannelSettings) -> str | None:
    try:
        target = urlsplit(channel.target.get_secret_value())
        fits = target.scheme in ("udp", "tcp", "tls") and bool(target.hostname) and bool(target.port)
    except ValueError:
        fits = False
    return None if fits else "the target of syslog is udp://host:514, tcp://host:601 or tls://host:6514"


#: Kind → what is wrong with a channel's target; other kinds are told when they send.
_TARGETS = {"webhook": _webhook_problem, "syslog": _syslog_problem}
