"""Kinds of arguments that several subcommands take."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601 with its zone; without one it would mean different moments on different machines."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{str(value)!r} is no ISO 8601 time such as 2025-03-30T13:00:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{str(value)!r} has no zone; append Z for UTC", param, ctx)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail(f"{str(value)!r} is out of range", param, ctx)


class Zone(click.ParamType[tzinfo]):
    """A time zone by its IANA name."""

    name = "zone"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tzinfo:
        try:
            return UTC if str(value) == "UTC" else ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{str(value)!r} is no IANA time zone such as Europe/Berlin", param, ctx)


class Registered(click.ParamType[str]):
    """A name from a registry that is loaded when one is given, since loading it takes time."""

    def __init__(self, name: str, load: Callable[[], Iterable[str]]) -> None:
        self.name = name
        self._load = load

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        names = sorted(self._load())
        if value not in names:
            self.fail(f"{str(value)!r} is not one of {', '.join(names)}", param, ctx)
        return str(value)
