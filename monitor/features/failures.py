"""Failure habits: a failed login for one who never mistypes, and failures piling up just before a login."""

import numpy as np

from monitor.columns import Ints, leaky_sum
from monitor.features.cadence import HOUR_S
from monitor.features.evidence import Context, Evidence


def failure(context: Context) -> Evidence:
    """Surprise of a failed login under the account's failure rate; a success is never odd."""
    habit = context.failure_habit
    success = context.logins.success

    def observed(rows: Ints) -> list[str | None]:
        return ["success" if success[i] else "failure" for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        return [f"{100 * habit[i]:.0f} % of attempts fail" for i in rows]

    return Evidence(np.where(success, 0.0, -np.log(habit)), observed, usual)


def burst(context: Context) -> Evidence:
    """Surprise of the failures before this login, each fading within the hour."""
    logins, past = context.logins, context.past
    habit = context.failure_habit
    nats = np.where(logins.success, 0.0, -np.log(habit))
    counts = np.where(logins.success, 0.0, 1.0)
    age = np.maximum(logins.time - past.last("failure_time"), 0.0)
    fading = np.where(np.isfinite(age), np.exp(-age / HOUR_S), 0.0)
    pressure = leaky_sum(nats, logins.time, past.first, HOUR_S) + np.nan_to_num(past.last("failure_nats")) * fading
    number = leaky_sum(counts, logins.time, past.first, HOUR_S) + np.nan_to_num(past.last("failure_count")) * fading
    last = np.append(logins.starts[1:], len(logins)) - 1
    past.keep("failure_time", last, logins.time)
    past.keep("failure_nats", last, pressure)
    past.keep("failure_count", last, number)
    earlier = np.maximum(number - counts, 0.0)

    def observed(rows: Ints) -> list[str | None]:
        return [f"{earlier[i]:.0f} failures within the hour before" for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        return [f"{100 * habit[i]:.0f} % of attempts fail" for i in rows]

    return Evidence(np.maximum(pressure - nats, 0.0), observed, usual)
