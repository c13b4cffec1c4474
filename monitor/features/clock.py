"""Time of day and day of week, in UTC, against the account's own smoothed, circular histogram."""

from datetime import UTC, datetime

import numpy as np

from monitor.columns import Floats, Ints, Logins, Objects
from monitor.features.evidence import PRIOR_LOGINS, Context, Evidence
from monitor.features.novelty import usual_values

HOURS = np.array([f"{hour:02d}" for hour in range(24)], object)
WEEKDAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], object)

#: Width of the kernel over the day (hours): people keep their hours to within about one.
KERNEL_HOURS = 1.0

#: Share of logins that may fall at any hour whatever the history says.
ANY_TIME = 0.002


def hour_of_day(logins: Logins) -> Floats:
    return np.mod(logins.time / 3600.0, 24.0)


def day_of_week(logins: Logins) -> Ints:
    """0 is Monday; 1 January 1970 was a Thursday."""
    return (np.floor(logins.time / 86_400.0).astype(np.int64) + 3) % 7


def hour(context: Context) -> Evidence:
    """Surprise of the time of day: −log density relative to a uniform day, by a von Mises kernel of one hour."""
    exact = hour_of_day(context.logins)
    counts = context.past.histogram("hour", exact.astype(np.int64), HOURS)
    angle = 2 * np.pi * (exact[:, None] - (np.arange(24) + 0.5)) / 24.0
    concentration = (24.0 / (2 * np.pi * KERNEL_HOURS)) ** 2
    kernel = np.exp(concentration * (np.cos(angle) - 1.0))
    kernel *= 24.0 / kernel.sum(axis=1, keepdims=True)
    total = counts.sum(axis=1)
    density = (counts * kernel).sum(axis=1) / np.maximum(total, 1e-12)
    common = (_population(context, "hour", exact.astype(np.int64), HOURS) * kernel).sum(axis=1)
    return _evidence(context, "hour", density, common, total, exact)


def weekday(context: Context) -> Evidence:
    """Surprise of the day of the week, relative to a uniform week."""
    day = day_of_week(context.logins)
    counts = context.past.histogram("weekday", day, WEEKDAYS)
    total = counts.sum(axis=1)
    density = 7.0 * counts[np.arange(len(day)), day] / np.maximum(total, 1e-12)
    common = 7.0 * _population(context, "weekday", day, WEEKDAYS)[np.arange(len(day)), day]
    return _evidence(context, "weekday", density, common, total, hour_of_day(context.logins))


def _population(context: Context, name: str, bins: Ints, names: Objects) -> Floats:
    """Share of everybody's logins in each bin before each login [n, bins]."""
    logins = context.logins
    among = logins.success & logins.learnable
    prior, strength = 1.0 / len(names), 2.0 * len(names)
    rates = [context.crowd.mean(f"{name}:{names[i]}", bins == i, among, prior, strength) for i in range(len(names))]
    return np.stack(rates, axis=1)


def _evidence(context: Context, name: str, density: Floats, common: Floats, total: Floats, exact: Floats) -> Evidence:
    trust = total / (total + PRIOR_LOGINS)
    expected = trust * density + (1 - trust) * common
    surprise = -np.log((1 - ANY_TIME) * expected + ANY_TIME)
    # A usual time has a density above one and a negative surprise; the account's mean sets the zero.
    strength = np.maximum(context.beyond_usual(name, surprise, total), 0.0)

    def observed(rows: Ints) -> list[str | None]:
        times = [datetime.fromtimestamp(time, UTC) for time in context.logins.time[rows]]
        return [f"{time:%H:%M} UTC" if name == "hour" else f"{time:%A}" for time in times]

    def usual(rows: Ints) -> list[str | None]:
        return usual_values(context, name, rows)

    return Evidence(strength, observed, usual)
