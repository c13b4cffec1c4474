"""Rhythm: a return after an unusually long silence, and more logins in an hour than the account makes."""

import numpy as np

from monitor.columns import Flags, Floats, Ints, latest_before
from monitor.features.evidence import PRIOR_LOGINS, Context, Evidence, counted, span
from monitor.features.gaussian import deviation, one_sided

HOUR_S = 3600.0

#: Pauses between logins that deviate by less than this (in their logarithm, so 15 %) keep time as only machines do:
#: whoever has nights or weekends has pauses of very different lengths.
CLOCKWORK = 0.15


def previous_time(context: Context) -> Floats:
    """Time of the account's previous successful login, whatever it was scored [n]; NaN where there was none."""
    logins, past = context.logins, context.past
    previous = latest_before(logins.success, past.first)
    return np.where(previous >= 0, logins.time[previous], past.last("login_time"))


def gap(context: Context) -> Evidence:
    """Silence since the last successful login against the account's own log-normal gaps; only long is odd."""
    logins, past = context.logins, context.past
    before = previous_time(context)
    seconds = np.maximum(logins.time - before, 1.0)
    past.keep("login_time", context.last_rows(logins.success), logins.time)
    strength, mean = one_sided(past, "gap", np.log(seconds), prior_mean=np.log(86_400.0), prior_deviation=1.5)

    def observed(rows: Ints) -> list[str | None]:
        return [f"{span(seconds[i])} since the last login" if np.isfinite(seconds[i]) else "first login" for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        return [f"about every {span(float(np.exp(mean[i])))}" for i in rows]

    return Evidence(strength, observed, usual)


def regular(context: Context) -> Flags:
    """Whether the account's logins so far follow each other like clockwork [n]; call it after ``gap``."""
    return deviation(context.past, "gap") < CLOCKWORK


def burst(context: Context) -> Evidence:
    """Successful logins of the last hour, fading, against the account's mean; the logarithm of their ratio.

    Logins from elsewhere and those from where the account is at home are counted apart: they are not one person's.
    Failures have features of their own.
    """
    logins, past, foreign = context.logins, context.past, context.foreign
    at_home = context.lately("recent_logins", (logins.success & ~foreign).astype(float), HOUR_S)
    elsewhere = context.lately("recent_foreign_logins", (logins.success & foreign).astype(float), HOUR_S)
    recent = np.where(foreign, elsewhere, at_home)
    mean = past.sum("recent_logins", recent, context.trusted) + PRIOR_LOGINS
    mean /= past.sum("recent_count", np.ones(len(logins)), context.trusted) + PRIOR_LOGINS
    strength = np.maximum(np.log((recent + 1.0) / (mean + 1.0)), 0.0)

    def observed(rows: Ints) -> list[str | None]:
        return [f"{counted(recent[i], 'login')} within the hour" for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        return [f"{mean[i]:.1f} logins within the hour" for i in rows]

    return Evidence(strength, observed, usual)
