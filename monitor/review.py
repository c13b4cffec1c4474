"""Verdicts: what a reviewer may say of an alert, and what follows from it.

Every verdict is kept; the latest one of an alert counts. A dismissal may carry a *scope*: one value of one aspect of
this account's logins (its network AS 5002, its city Lagos), until a moment, that is known to be legitimate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
import pandas as pd

from monitor.columns import Flags
from monitor.events import MonitorError

#: Verdict → the status of an alert whose latest verdict it is.
STATUS = {"confirm": "confirmed", "dismiss": "dismissed", "undo": "open"}

#: Why an alert is confirmed or dismissed, by verdict: the word that is stored, and how it is put to the reviewer.
REASONS: Mapping[str, Mapping[str, str]] = {
    "confirm": {"compromised": "account compromised", "attempt": "attack that did not succeed", "other": "other"},
    "dismiss": {
        "travel": "legitimate travel",
        "new_device": "new device",
        "vpn": "VPN or proxy of theirs",
        "role_change": "change of role or duty",
        "test": "test or exercise",
        "other": "other",
    },
    "undo": {},
}

#: What a scope may name → the canonical event column that it is compared with.
SCOPES: Mapping[str, str] = {
    "country": "country",
    "region": "region",
    "city": "city",
    "asn": "asn",
    "ip": "ip",
    "device": "device_id",
    "auth_method": "auth_method",
    "application": "application",
}

LONGEST_NOTE = 4_000
LONGEST_NAME = 200


class ReviewError(MonitorError):
    """A verdict that cannot be taken; the message says why in one line."""


@dataclass(frozen=True)
class Scope:
    """What a dismissal vouches for: logins of the account with this ``value`` of ``feature``, before ``until``."""

    feature: str
    value: str
    until: datetime


@dataclass(frozen=True)
class Verdict:
    """One verdict on one alert; ``act`` identifies the act, so that the same form sent twice is one verdict."""

    alert_id: UUID
    verdict: str
    reviewer: str
    reason: str | None = None
    note: str | None = None
    scope: Scope | None = None
    act: UUID | None = None


def checked(verdict: Verdict, now: datetime) -> Verdict:
    """The verdict as it is stored, blank texts being none; raises ``ReviewError`` when it says nothing that counts."""
    if verdict.verdict not in STATUS:
        raise ReviewError(f"{_shown(verdict.verdict)} is no verdict; one of {', '.join(STATUS)}")
    reviewer, note = (
        checked_text(verdict.reviewer, "reviewer", LONGEST_NAME),
        checked_text(verdict.note, "note", LONGEST_NOTE),
    )
    if reviewer is None:
        raise ReviewError("a verdict needs a reviewer")
    reason = verdict.reason or None
    if reason is not None and reason not in REASONS[verdict.verdict]:
        known = ", ".join(REASONS[verdict.verdict]) or "none"
        raise ReviewError(f"{_shown(reason)} is no reason to {verdict.verdict}; one of {known}")
    if verdict.scope is not None:
        _check_scope(verdict, verdict.scope, now)
    return Verdict(verdict.alert_id, verdict.verdict, reviewer, reason, note, verdict.scope, verdict.act)


def covered(events: pd.DataFrame, scopes: pd.DataFrame) -> Flags:
    """Which logins [n] a scope vouches for.

    ``events`` has ``account_id`` (UUID text), ``occurred_at`` and the canonical columns; ``scopes`` are as
    ``monitor.store.reviews.active_scopes`` gives them. An unknown value is covered by no scope.
    """
    result = np.zeros(len(events), bool)
    for feature, part in scopes.groupby("feature"):
        until = part.groupby(["account_id", "value"])["valid_until"].max()
        values = events[SCOPES[str(feature)]].astype("str")
        ends = until.reindex(pd.MultiIndex.from_arrays([events["account_id"], values]))
        result |= (events["occurred_at"].to_numpy() < ends.to_numpy()) & values.notna().to_numpy()
    return result


def scope_values(events: Iterable[Mapping[str, object]]) -> dict[str, list[str]]:
    """The scopes that a dismissal of these logins could name: feature → its known values, in order of appearance."""
    found: dict[str, list[str]] = {feature: [] for feature in SCOPES}
    for event in events:
        for feature, column in SCOPES.items():
            value = event.get(column)
            if value is not None and str(value) not in found[feature]:
                found[feature].append(str(value))
    return {feature: values for feature, values in found.items() if values}


def _check_scope(verdict: Verdict, scope: Scope, now: datetime) -> None:
    if verdict.verdict != "dismiss":
        raise ReviewError("only a dismissal can carry a scope")
    if scope.feature not in SCOPES:
        raise ReviewError(f"{_shown(scope.feature)} cannot be a scope; one of {', '.join(SCOPES)}")
    if scope.until.tzinfo is None or scope.until <= now:
        raise ReviewError("a scope needs an end that lies ahead")


def checked_text(value: str | None, what: str, longest: int) -> str | None:
    """A text that PostgreSQL can store; None for a blank one."""
    if value is None or not value.strip():
        return None
    if len(value) > longest:
        raise ReviewError(f"the {what} is longer than {longest:,} characters")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ReviewError(f"the {what} holds characters that are no valid text")
    return value.strip()


def _shown(value: str) -> str:
    return repr(value if len(value) <= 50 else value[:50] + "…")
