"""What follows when logins alert: they are grouped into incidents, told in a line, and copied into alerts."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from monitor.alerting import Reason, headline, incidents, severity
from monitor.columns import Ints, seconds
from monitor.events import CANONICAL_COLUMNS
from monitor.features import NAMES
from monitor.judging import Judged, Words
from monitor.store import alerts
from monitor.tails import THIN_HISTORY

#: Reasons copied into an alert for each of its logins.
MOST_REASONS = 10


@dataclass(frozen=True)
class _Odd:
    """One login that alerted: its row among the events, and why."""

    row: int
    score: float
    reasons: list[Reason]


def raise_alerts(
    connection: Connection, events: pd.DataFrame, part: Judged, explained: Ints, words: Words, now: datetime
) -> int:
    """Open or extend the alerts of the logins that alerted; returns how many were opened.

    ``events`` and ``part`` have the same rows; ``words`` are of the rows ``explained``, which hold all that alerted.
    """
    odd = events.iloc[np.flatnonzero(part.alerted)]
    account, names = pd.factorize(odd["account_id"])
    running = alerts.open_alerts(connection, names)
    until = [running[name].last_event_at.timestamp() if name in running else np.nan for name in names]
    number, continues = incidents(account, seconds(odd["occurred_at"]), np.array(until)[account])
    positions = np.searchsorted(explained, np.flatnonzero(part.alerted))
    opened: list[UUID] = []
    touched: list[UUID] = []
    for incident in range(len(continues)):
        members = np.flatnonzero(number == incident) if len(continues) == 1 else _members(number, incident)
        logins = [
            _Odd(
                int(explained[positions[i]]),
                float(part.scores.score[explained[positions[i]]]),
                _reasons(part, explained, words, positions[i]),
            )
            for i in members
        ]
        held = running[str(odd["account_id"].iloc[members[0]])] if continues[incident] else None
        alert_id = held.alert_id if held else uuid7()
        _write(connection, events, logins, part, alert_id, held, now)
        touched.append(alert_id)
        if held is None:
            opened.append(alert_id)
    alerts.assign_campaigns(connection, touched)
    return len(opened)


def _members(number: Ints, incident: int) -> Ints:
    low, high = np.searchsorted(number, [incident, incident + 1])
    return np.arange(low, high)


def _reasons(part: Judged, explained: Ints, words: Words, at: int) -> list[Reason]:
    """Why the login at position ``at`` of the words is odd, the strongest reason first."""
    contribution = part.scores.contribution[explained[at]]
    strongest = [i for i in np.argsort(-contribution)[:MOST_REASONS] if contribution[i] > 0]
    return [
        Reason(
            NAMES[i],
            round(float(contribution[i]), 4),
            words.observed[at, i],
            words.usual[at, i],
            bool(words.new[at, i]),
        )
        for i in strongest
    ]


def _write(
    connection: Connection,
    events: pd.DataFrame,
    logins: list[_Odd],
    part: Judged,
    alert_id: UUID,
    held: alerts.OpenAlert | None,
    now: datetime,
) -> None:
    """Open or extend one alert with its logins, in order of time; the oddest of them gives the headline."""
    rows = [login.row for login in logins]
    times = events["occurred_at"].iloc[rows]
    peak = max(logins, key=lambda login: login.score)
    changed: dict[str, Any] = {"updated_at": now}
    if held is None or peak.score > held.score:
        moment, place = events["occurred_at"].iloc[peak.row], events[["latitude", "longitude"]].iloc[peak.row]
        latitude, longitude = (None if pd.isna(number) else float(number) for number in place)
        changed |= {
            "score": peak.score,
            "severity": severity(peak.score),
            "headline": headline(peak.reasons, moment.to_pydatetime(), latitude, longitude),
        }
    if held is None:
        alerts.open_alert(
            connection,
            changed
            | {
                "alert_id": alert_id,
                "account_id": events["account_id"].iloc[rows[0]],
                "opened_at": times.iloc[0].to_pydatetime(),
                "last_event_at": times.iloc[-1].to_pydatetime(),
                "event_count": len(logins),
                "thin_history": bool(part.history[rows].min() < THIN_HISTORY),
                "created_at": now,
            },
        )
    else:
        changed["last_event_at"] = max(times.iloc[-1].to_pydatetime(), held.last_event_at)
        alerts.extend_alert(connection, alert_id, changed, len(logins))
    alerts.add_alert_events(connection, [_copy(events, login, alert_id) for login in logins])


def _copy(events: pd.DataFrame, login: _Odd, alert_id: UUID) -> dict[str, Any]:
    """The login as the alert keeps it: its canonical columns and its reasons."""
    event = {name: _plain(events[name].iat[login.row]) for name in CANONICAL_COLUMNS}
    return {
        "account_id": events["account_id"].iat[login.row],
        "source": events["source"].iat[login.row],
        "event_id": event["event_id"],
        "occurred_at": events["occurred_at"].iat[login.row].to_pydatetime(),
        "alert_id": alert_id,
        "score": login.score,
        "event": event,
        "attribution": [asdict(reason) for reason in login.reasons],
    }


def _plain(value: Any) -> Any:
    """A cell as JSON can hold it."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value
