"""What follows when logins alert: they are grouped into incidents, told in a line, and copied into alerts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from monitor.alerting import Reason, headline, incidents, severity
from monitor.columns import KEY, Flags, Floats, Ints, seconds
from monitor.events import CANONICAL_COLUMNS
from monitor.features import NAMES
from monitor.judging import Judgement, Words
from monitor.rule import THIN_HISTORY
from monitor.sequences import Rows
from monitor.store import alerts

#: Reasons copied into an alert for each of its logins.
MOST_REASONS = 10


@dataclass(frozen=True)
class _Odd:
    """One login that alerted: its columns, and why."""

    event: dict[str, Any]
    score: float
    history: float
    segment: str
    reasons: list[Reason]


def raise_alerts(
    connection: Connection,
    events: pd.DataFrame,
    part: Judgement,
    explained: Ints,
    words: Words,
    threshold_id: int,
    now: datetime,
) -> int:
    """Open or extend the alerts of the logins that alerted; returns how many were opened.

    ``events`` and ``part`` have the same rows; ``words`` are of the rows ``explained``, which hold all that alerted.
    """
    rows = np.flatnonzero(part.alerted)
    if not len(rows):
        return 0
    odd = events.iloc[rows]
    account, names = pd.factorize(odd["account_id"])
    running = alerts.open_alerts(connection, names)
    until = [running[name].last_event_at.timestamp() if name in running else np.nan for name in names]
    number, continues = incidents(account, seconds(odd["occurred_at"]), np.array(until)[account])
    logins = _odd_logins(odd, part, rows, words, np.searchsorted(explained, rows))

    opened, extended, copied = [], [], []
    for incident in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(number)) + 1):
        members = [logins[i] for i in incident]
        held = running[members[0].event["account_id"]] if continues[number[incident[0]]] else None
        alert_id = held.alert_id if held else uuid7()
        if held is None:
            opened.append(_opened(alert_id, members, now))
        else:
            extended.append(_extended(held, members, now))
        copied += [_copy(login, alert_id, threshold_id) for login in members]
    alerts.add_alerts(connection, opened)
    alerts.extend_alerts(connection, extended)
    alerts.add_alert_events(connection, copied)
    alerts.assign_campaigns(connection, list({row["alert_id"] for row in copied}))
    return len(opened)


def follow(
    connection: Connection,
    events: pd.DataFrame,
    part: Judgement,
    explained: Ints,
    words: Words,
    waiting: pd.DataFrame,
    threshold_id: int,
) -> None:
    """Copy what follows an alert into it, where it waits for the verdict; the alert is no worse for it, nor told again.

    ``waiting`` are the logins that may be followed beside those of the batch, whose alerts are raised by now.
    """
    rows = np.flatnonzero(part.follows >= 0)
    if not len(rows):
        return
    leaders = pd.concat([waiting[list(KEY)], events[list(KEY)]]).iloc[part.follows[rows]]
    logins = _odd_logins(events.iloc[rows], part, rows, words, np.searchsorted(explained, rows))
    found = zip(logins, alerts.alerts_of(connection, leaders), strict=True)
    alerts.add_alert_events(
        connection, [_copy(login, alert_id, threshold_id) for login, alert_id in found], follows=True
    )


def audit(
    connection: Connection,
    events: pd.DataFrame,
    part: Judgement,
    explained: Ints,
    words: Words,
    audited: Flags,
    chances: Floats,
    threshold_id: int,
    now: datetime,
) -> None:
    """Show reviewers the ``audited`` logins, each in an alert of its own; as they did not alert, they wait for nothing.

    They are learned already, but for a stranger's: that one when it is dismissed, by the next training.
    """
    rows = np.flatnonzero(audited)
    if not len(rows):
        return
    logins = _odd_logins(events.iloc[rows], part, rows, words, np.searchsorted(explained, rows))
    ids = [uuid7() for _ in logins]
    opened = [
        _opened(alert_id, [login], now) | {"severity": "low", "audit_chance": float(chances[row])}
        for alert_id, login, row in zip(ids, logins, rows, strict=True)
    ]
    alerts.add_alerts(connection, opened)
    copied = [_copy(login, alert_id, threshold_id) for alert_id, login in zip(ids, logins, strict=True)]
    alerts.add_alert_events(connection, copied, learned_at=now)


def _odd_logins(odd: pd.DataFrame, part: Judgement, rows: Ints, words: Words, positions: Ints) -> list[_Odd]:
    """The logins that alerted; ``positions`` says where each stands among the words."""
    columns = {name: _plain(odd[name]) for name in dict.fromkeys(("account_id", "source", *CANONICAL_COLUMNS))}
    records = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    facts = (part.scores.score[rows].tolist(), part.history[rows].tolist(), part.segment[rows].tolist())
    reasons = _reasons(part.scores.contribution[rows], words, positions)
    return [_Odd(*known) for known in zip(records, *facts, reasons, strict=True)]


def _reasons(contribution: Rows, words: Words, positions: Ints) -> list[list[Reason]]:
    """Why each login is odd, the strongest reason first; ``contribution`` [m, features]."""
    order = np.argsort(-contribution, axis=1)
    amount = np.take_along_axis(contribution, order, axis=1).astype(np.float64)
    said = [
        np.take_along_axis(column[positions], order, axis=1).tolist()
        for column in (words.observed, words.usual, words.new)
    ]
    columns = [np.array(NAMES, object)[order].tolist(), np.round(amount, 4).tolist(), *said]
    return [
        [Reason(*parts) for parts in list(zip(*login, strict=True))[:count]]
        for *login, count in zip(*columns, (amount > 0).sum(axis=1).tolist(), strict=True)
    ]


def _told(members: list[_Odd]) -> dict[str, Any]:
    """Score, severity and headline of an incident: those of its oddest login."""
    peak = max(members, key=lambda login: login.score)
    event = peak.event
    line = headline(peak.reasons, event["occurred_at"], event["latitude"], event["longitude"])
    return {"score": peak.score, "severity": severity(peak.score), "headline": line, "segment": peak.segment}


def _opened(alert_id: UUID, members: list[_Odd], now: datetime) -> dict[str, Any]:
    return {
        "alert_id": alert_id,
        "account_id": members[0].event["account_id"],
        "opened_at": members[0].event["occurred_at"],
        "last_event_at": members[-1].event["occurred_at"],
        "event_count": len(members),
        "thin_history": min(login.history for login in members) < THIN_HISTORY,
        "created_at": now,
        "updated_at": now,
        "audit_chance": None,
        **_told(members),
    }


def _extended(held: alerts.OpenAlert, members: list[_Odd], now: datetime) -> dict[str, Any]:
    """What changes in an open alert; an oddest login keeps the headline until an odder one comes."""
    told = _told(members)
    if told["score"] <= held.score:
        told = {"score": held.score, "severity": held.severity, "headline": held.headline, "segment": held.segment}
    return {
        "alert": held.alert_id,
        "added": len(members),
        "first": members[0].event["occurred_at"],
        "last": members[-1].event["occurred_at"],
        "now": now,
        **told,
    }


def _copy(login: _Odd, alert_id: UUID, threshold_id: int) -> dict[str, Any]:
    """The login as the alert keeps it: its canonical columns and its reasons."""
    event = login.event
    return {
        "account_id": event["account_id"],
        "source": event["source"],
        "event_id": event["event_id"],
        "occurred_at": event["occurred_at"],
        "alert_id": alert_id,
        "threshold_id": threshold_id,
        "score": login.score,
        "event": {name: event[name] for name in CANONICAL_COLUMNS} | {"occurred_at": event["occurred_at"].isoformat()},
        "attribution": [vars(reason) for reason in login.reasons[:MOST_REASONS]],
    }


def _plain(column: "pd.Series[Any]") -> list[Any]:
    """A column as Python's own values, None where it is unknown."""
    if column.name == "occurred_at":
        return [moment.to_pydatetime() for moment in column]
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]
