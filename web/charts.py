"""Pictures as SVG, made here: they need no script, print well, and take their colours from the style sheet.

Every picture stands on a page beside a table with the same facts, so it is one image with one name to a screen
reader. Points of one colour are one path of zero-length strokes: a picture of 4,000 logins is a few kilobytes.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from monitor.geography import distance_km

#: Colours of places, the most frequent first; all further places share the last one.
COLOURS = 6

WIDTH = 760

#: Room that the last date below a picture needs to the right of its day.
HALF_A_DATE = 20


#: City and country of a login.
Place = tuple[str | None, str | None]


def places(logins: Iterable[Any]) -> dict[Place, int]:
    """Place → number of its colour, the most frequent first."""
    found = Counter((login.city, login.country) for login in logins).most_common()
    return {place: min(number, COLOURS - 1) for number, (place, _) in enumerate(found)}


def calendar(
    logins: Sequence[Any],
    odd: Collection[tuple[str, str]],
    since: datetime,
    until: datetime,
    colours: Mapping[Place, int],
    *,
    large: bool = False,
    frame: tuple[datetime, datetime] | None = None,
) -> Markup:
    """Days across, hours (UTC) down; a dot for each login in the colour of its place, the odd ones ringed.

    ``frame`` marks the stretch of time that another picture enlarges.
    """
    height, left, top = (260, 40, 8) if large else (220, 40, 8)
    span = (until - since).total_seconds()
    across, down = (WIDTH - left - 8) / span, (height - top - 24) / 24
    dots: dict[int, list[str]] = defaultdict(list)
    rings = []
    for login in logins:
        at = login.occurred_at
        x = left + (at - since).total_seconds() * across
        y = top + (at.hour + at.minute / 60) * down
        dots[colours[login.city, login.country]].append(f"M{x:.1f} {y:.1f}h0")
        if (login.source, login.event_id) in odd:
            rings.append(f"M{x - 6:.1f} {y:.1f}a6 6 0 1 0 12 0a6 6 0 1 0-12 0")
    parts = [_hours(left, top, down), _days(since, until, left, top, height, across)]
    if frame is not None:
        first, last = (left + (at - since).total_seconds() * across for at in frame)
        parts.insert(
            0, f'<rect class="frame" x="{first:.1f}" y="{top}" width="{last - first:.1f}" height="{24 * down:.1f}"/>'
        )
    size = "dots large" if large else "dots"
    parts += [_path(f"{size} p{colour}", points) for colour, points in sorted(dots.items())]
    parts.append(_path("ring", rings))
    return _svg(height, f"{len(logins)} logins by day and hour, {len(rings)} of them odd and ringed", parts)


def strip(
    logins: Sequence[Any],
    odd: Collection[tuple[str, str]],
    since: datetime,
    until: datetime,
    colours: Mapping[Place, int],
) -> Markup:
    """Time across, distance from the most frequent place down: a journey is a line, an impossible one a cliff."""
    located = [row for row in logins if row.latitude is not None and row.longitude is not None][::-1]
    if len(located) < 2:
        return Markup("")
    home, _ = Counter((row.latitude, row.longitude) for row in located).most_common(1)[0]
    latitudes, longitudes = np.array([(row.latitude, row.longitude) for row in located]).T
    away = distance_km(latitudes, longitudes, np.array(home[0]), np.array(home[1])).tolist()
    height, left, top = 170, 70, 8
    across = (WIDTH - left - 8) / (until - since).total_seconds()
    farthest = max(100.0, *away)
    line: list[str] = []
    rings: list[str] = []
    dots: dict[int, list[str]] = defaultdict(list)
    for row, distance in zip(located, away, strict=True):
        x = left + (row.occurred_at - since).total_seconds() * across
        y = height - 24 - distance / farthest * (height - 24 - top)
        line.append(f"{'L' if line else 'M'}{x:.1f} {y:.1f}")
        dots[colours[row.city, row.country]].append(f"M{x:.1f} {y:.1f}h0")
        if (row.source, row.event_id) in odd:
            rings.append(f"M{x - 6:.1f} {y:.1f}a6 6 0 1 0 12 0a6 6 0 1 0-12 0")
    parts = [
        _label(left - 6, top + 8, f"{farthest:,.0f} km", "end"),
        _label(left - 6, height - 24, "0 km", "end"),
        _path("grid", [f"M{left} {top + 4:.1f}H{WIDTH - 8}M{left} {height - 24}H{WIDTH - 8}"]),
        _days(since, until, left, top, height, across),
        _path("line", line),
        *[_path(f"dots large p{colour}", points) for colour, points in sorted(dots.items())],
        _path("ring", rings),
    ]
    return _svg(height, f"Distance from the most frequent place, up to {farthest:,.0f} km", parts)


def columns(values: Sequence[tuple[datetime, float, bool]]) -> Markup:
    """A column for each login, in order; those of the alert stand out."""
    if not values:
        return Markup("")
    name = f"Oddness of the last {len(values)} logins, up to {max(value for _, value, _ in values):.1f}"
    ends = (_day(values[0][0].date()), _day(values[-1][0].date()))
    named = [(f"{at.isoformat(' ', 'minutes')[:16]}: {value:.2f}", value, odd) for at, value, odd in values]
    return _bars(named, name, ends)


def histogram(values: Sequence[tuple[str, float]], name: str) -> Markup:
    """A column for each named value, in order; all heights from nought."""
    ends = (values[0][0], values[-1][0]) if values else ("", "")
    return _bars([(f"{words}: {value:,.3g}", value, False) for words, value in values], name, ends)


def _bars(values: Sequence[tuple[str, float, bool]], name: str, ends: tuple[str, str]) -> Markup:
    if not values:
        return Markup("")
    height, left, top = 150, 44, 8
    highest = max(value for _, value, _ in values) or 1.0
    step = min((WIDTH - left - 8) / len(values), 60.0)
    bars, width = [], f"{step - 3:.1f}"
    for number, (words, value, odd) in enumerate(values):
        if value <= 0:
            continue
        tall, x = value / highest * (height - top - 24), left + number * step + 1.5
        bars.append(
            f'<rect class="{"odd" if odd else "bar"}" x="{x:.1f}" y="{height - 24 - tall:.1f}" '
            f'width="{width}" height="{tall:.1f}"><title>{escape(words)}</title></rect>'
        )
    labels = [
        _label(left - 6, top + 8, f"{highest:,.3g}", "end"),
        _label(left - 6, height - 24, "0", "end"),
        _label(left, height - 8, ends[0], "start"),
        _label(left + step * len(values), height - 8, ends[1], "end"),
    ]
    return _svg(height, name, [*bars, *labels])


def bar(share: float, odd: bool = False) -> Markup:
    """One bar of a table, ``share`` of its full width."""
    return _bar(round(max(0.0, min(share, 1.0)) * 200), odd)


@cache
def _bar(half_percents: int, odd: bool) -> Markup:
    kind = "odd" if odd else "bar"
    return Markup(  # noqa: S704
        '<svg class="inline" viewBox="0 0 200 20" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" width="{half_percents}" height="20"/></svg>'
    )


def days(values: Sequence[tuple[date, float]], name: str, line: float | None = None) -> Markup:
    """A column for each day, with a line at a level to compare with."""
    if not values:
        return Markup("")
    height, left, top = 150, 50, 8
    first, last = min(day for day, _ in values), max(day for day, _ in values)
    count = (last - first).days + 1
    highest = max([value for _, value in values] + ([line * 1.2] if line else [])) or 1.0
    step = min((WIDTH - left - 8) / count, 40.0)
    scale = (height - top - 24) / highest
    bars = [
        f'<rect class="bar" x="{left + (day - first).days * step + 0.5:.1f}" y="{height - 24 - value * scale:.1f}" '
        f'width="{max(step - 1, 0.5):.1f}" height="{value * scale:.1f}"><title>{day}: {value:.3g}</title></rect>'
        for day, value in values
        if value
    ]
    if line:
        bars.append(f'<path class="level" d="M{left} {height - 24 - line * scale:.1f}H{left + step * count:.1f}"/>')
    labels = [
        _label(left - 6, top + 8, f"{highest:.3g}", "end"),
        _label(left - 6, height - 24, "0", "end"),
        _label(left, height - 8, f"{first:%d %b %Y}", "start"),
        _label(left + step * count, height - 8, f"{last:%d %b %Y}" if count > 8 else "", "end"),
    ]
    return _svg(height, name, [*bars, *labels])


def steps(values: Sequence[tuple[datetime, float]], until: datetime, name: str) -> Markup:
    """A value that holds from each moment until the next one."""
    if not values:
        return Markup("")
    height, left, top = 150, 50, 8
    since = values[0][0]
    across = (WIDTH - left - 8) / max((until - since).total_seconds(), 1.0)
    low, high = min(value for _, value in values), max(value for _, value in values)
    low, high = low - 0.1 * (high - low) - 0.05, high + 0.1 * (high - low) + 0.05
    scale = (height - top - 24) / (high - low)
    line: list[str] = []
    for at, value in values:
        x, y = left + (at - since).total_seconds() * across, height - 24 - (value - low) * scale
        line.append(f"M{x:.1f} {y:.1f}" if not line else f"H{x:.1f}V{y:.1f}")
    line.append(f"H{WIDTH - 8}")
    labels = [
        _label(left - 6, top + 8, f"{high:.2f}", "end"),
        _label(left - 6, height - 24, f"{low:.2f}", "end"),
        _label(left, height - 8, f"{since:%d %b %Y}", "start"),
        _label(WIDTH - 8, height - 8, f"{until:%d %b %Y}", "end"),
    ]
    return _svg(height, name, [_path("line", line), *labels])


def lines(series: Mapping[str, Sequence[float]], name: str) -> Markup:
    """Several lines over 1, 2, 3, …, in the colours of the places, named at the right."""
    longest = max((len(values) for values in series.values()), default=0)
    if longest < 2:
        return Markup("")
    height, left, top, right = 170, 50, 8, 100
    numbers = [value for values in series.values() for value in values]
    low, high = min(numbers), max(numbers)
    step = (WIDTH - left - right) / (longest - 1)
    scale = (height - top - 24) / max(high - low, 1e-9)
    parts = [_label(left - 6, top + 8, f"{high:.3g}", "end"), _label(left - 6, height - 24, f"{low:.3g}", "end")]
    written = -math.inf
    ordered = sorted(enumerate(series.items()), key=lambda entry: -entry[1][1][-1])
    for number, (label, values) in ordered:
        points = [
            f"{'L' if i else 'M'}{left + i * step:.1f} {height - 24 - (value - low) * scale:.1f}"
            for i, value in enumerate(values)
        ]
        parts.append(_path(f"line p{number}", points))
        written = max(written + 13, height - 20 - (values[-1] - low) * scale)  # names stand below each other
        parts.append(_label(WIDTH - right + 6, written, label, "start"))
    return _svg(height, name, parts)


def _svg(height: int, name: str, parts: Iterable[str]) -> Markup:
    # The parts are numbers and class names made here, and labels that went through escape().
    # On a narrow screen the picture scrolls sideways instead of becoming unreadable; keys can scroll what has focus.
    label, drawn = escape(name), "".join(parts)
    return Markup(  # noqa: S704
        f'<div class="picture" tabindex="0" role="group" aria-label="{label}">'
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{drawn}</svg></div>'
    )


def _path(kind: str, parts: Sequence[str]) -> str:
    return f'<path class="{kind}" d="{"".join(parts)}"/>' if parts else ""


def _label(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'


@cache
def _hours(left: int, top: int, down: float) -> str:
    lines = "".join(f"M{left} {top + hour * down:.1f}H{WIDTH - 8}" for hour in (0, 6, 12, 18, 24))
    labels = (_label(left - 6, top + hour * down + 4, f"{hour:02d}:00", "end") for hour in (0, 6, 12, 18, 24))
    return _path("grid", [lines]) + "".join(labels)


def _days(since: datetime, until: datetime, left: int, top: int, height: int, across: float) -> str:
    """A line and a date where a day begins, as many as there is room for."""
    first = (since + timedelta(days=1)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    every = timedelta(days=max(1, -(-max((until - first).days + 1, 1) // 9)))
    x, step = left + (first - since).total_seconds() * across, every.total_seconds() * across
    grid, labels = [], []
    while first < until:
        grid.append(f"M{x:.1f} {top}V{height - 24}")
        labels.append(_label(min(x, WIDTH - HALF_A_DATE), height - 8, _day(first.date()), "middle"))
        first, x = first + every, x + step
    return _path("grid", grid) + "".join(labels)


@lru_cache(maxsize=1024)
def _day(day: date) -> str:
    """A day as all pictures write it; strftime is slow, and the same few days stand below every picture."""
    return f"{day:%d %b}"
