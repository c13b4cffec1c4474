"""Moments as providers write them, made ISO 8601 with a zone."""

import re
from datetime import UTC, datetime, tzinfo

_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,12})?)?", re.ASCII)
_EPOCH = re.compile(r"(?:/Date\()?(\d{9,19})(?:\.(\d{1,9})\d*)?(?:\)/)?", re.ASCII)  # .NET writes /Date(…)/
_MILLISECONDS = 10**11  # as seconds this were the year 5138; as milliseconds it was 1973


def with_zone(text: str, zone: tzinfo | None) -> str:
    """An ISO 8601 time, in `zone` if it says none itself. In the hour that summer time repeats it is the first."""
    if zone is None or not _NAIVE.fullmatch(text.strip()):
        return text
    if zone is UTC:
        return f"{text.strip()}Z"
    try:
        local = datetime.fromisoformat(text.strip().replace(",", "."))
        return local.replace(tzinfo=zone).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return text


def moment(text: str, zone: tzinfo) -> str:
    """A time as ISO 8601: from that with or without a zone, or from seconds, milli-, micro- or nanoseconds since 1970.

    What is none of them is returned as it is.
    """
    found = _EPOCH.fullmatch(text.strip())
    if not found:
        return with_zone(text, zone)
    whole, unit = int(found[1]), 1
    while whole // unit >= _MILLISECONDS:
        unit *= 1000
    microseconds = whole * 1_000_000 // unit
    if unit == 1 and found[2]:
        microseconds += int(found[2][:6].ljust(6, "0"))
    try:
        seconds, rest = divmod(microseconds, 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest).isoformat()
    except (ValueError, OverflowError, OSError):
        return text
