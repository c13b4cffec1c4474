"""Failure habits: a failed login for one who never mistypes, and failures piling up just before a login."""

import numpy as np

from monitor.columns import Flags, Ints
from monitor.features.cadence import HOUR_S
from monitor.features.evidence import Context, Evidence, counted


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
    """Surprise of the failures before this login that came from where the account is at home, fading in an hour.

    A device that keeps trying an old password is at home; what guesses passwords is not, and counts as foreign.
    """
    return _pressure(context, "failure", ~context.foreign, "within the hour before")


def foreign(context: Context) -> Evidence:
    """Surprise of the failures before and with a login from elsewhere that came from elsewhere too.

    Whoever logs in at home while somebody else guesses the password is not odd.
    """
    return _pressure(context, "foreign_failure", context.foreign, "from elsewhere within the hour")


def _pressure(context: Context, name: str, where: Flags, words: str) -> Evidence:
    habit, failed = context.failure_habit, ~context.logins.success & where
    nats = context.lately(f"{name}_nats", np.where(failed, -np.log(habit), 0.0), HOUR_S)
    number = context.lately(f"{name}_count", failed.astype(float), HOUR_S)
    if name == "failure":  # the login's own failure is told by the feature of that name
        nats, number = nats - np.where(failed, -np.log(habit), 0.0), number - failed

    def observed(rows: Ints) -> list[str | None]:
        return [f"{counted(number[i], 'failure')} {words}" for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        return [f"{100 * habit[i]:.0f} % of attempts fail" for i in rows]

    return Evidence(np.where(where, np.maximum(nats, 0.0), 0.0), observed, usual)
