"""A small organisation with alerts, among them one whose every text is hostile, written straight into the tables."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, text

from monitor.store.engine import reading
from monitor.store.partitions import ensure_months

SPACE = UUID(int=7)
MODEL = uuid5(SPACE, "model")
CAMPAIGN = uuid5(SPACE, "campaign")
NEWEST = datetime(2025, 10, 30, 12, tzinfo=UTC)

XSS = "<script>document.title='hacked'</script>\"'><img src=x onerror=\"document.title='hacked'\">{{7777*7777}}"
RIGHT_TO_LEFT = "\u202egpj.exe\u2066"
COMBINING = "Z" + "\u0321\u0489\u035c" * 200
LONG = "A" * 10_000
HOSTILE_USER = "=cmd|'/C calc'!A1" + XSS + RIGHT_TO_LEFT

#: What the scheduled calibration weighed last.
WEIGHED = {
    "kept": "set by hand", "proposed": 3.47, "proposed_basis": "alert budget: 20 alerts a day",
    "proposed_alerts_per_day": 11.5, "proposed_precision": 0.42,
    "dismissed_that_would_not_alert": 1, "dismissed_that_would_not_alert_first": str(uuid5(SPACE, "waved")),
    "confirmed_that_would_not_alert": 0, "confirmed_that_would_not_alert_first": "",
    "dismissed_that_would_alert": 0, "dismissed_that_would_alert_first": "",
    "confirmed_that_would_alert": 0, "confirmed_that_would_alert_first": "",
}  # fmt: skip

#: Name of an account → score of its alert; the strangers' three alerts are one campaign.
ALERTS = {
    "ada@corp.example": 6.5,
    "bob@corp.example": 5.5,
    HOSTILE_USER: 5.0,
    "spray1@corp.example": 4.5,
    "spray2@corp.example": 4.4,
    "spray3@corp.example": 4.3,
    "carol@corp.example": 3.1,
}


def account_of(user: str) -> UUID:
    return uuid5(SPACE, user)


def alert_of(user: str) -> UUID:
    return uuid5(SPACE, f"alert of {user}")


ADA, BOB = alert_of("ada@corp.example"), alert_of("bob@corp.example")
SPRAYED = [alert_of(f"spray{number}@corp.example") for number in (1, 2, 3)]


def rows(engine: Engine, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def status(engine: Engine, alert: object) -> str:
    return str(rows(engine, "SELECT status FROM monitor.alert WHERE alert_id = :id", id=alert)[0][0])


def build(connection: Connection) -> None:
    months = sorted({(NEWEST - timedelta(days=day)).replace(day=1) for day in range(70)})
    ensure_months(connection, months)
    _execute(
        connection,
        """
        INSERT INTO monitor.model VALUES (:id, 'lstm_autoencoder', 'active', '{country,device,hour}', '',
            '{"losses": [{"training": 0.5, "held_back": 0.6}, {"training": 0.4, "held_back": 0.5}], "events": 9}',
            :at, :at)
        """,
        id=MODEL,
        at=NEWEST - timedelta(days=20),
    )
    _execute(
        connection,
        """
        INSERT INTO monitor.threshold (value, decided_at, decided_by, basis, reviews_used, expected_alerts_per_day)
        VALUES (3.0, :first, 'train', 'alert budget', 0, 20), (3.2, :then, 'calibrate', 'alert budget', 4, 18)
        """,
        first=NEWEST - timedelta(days=20),
        then=NEWEST - timedelta(days=2),
    )
    _execute(
        connection,
        """
        INSERT INTO monitor.recalibration (model_id, decided_at, since, until, logins, factor, tail)
        VALUES (:model, :at, :since, :at, 12345, 1.99, '{}')
        """,
        model=MODEL,
        at=NEWEST - timedelta(days=2),
        since=NEWEST - timedelta(days=3),
    )
    _execute(
        connection,
        """
        INSERT INTO monitor.job_run VALUES (:id, 'score', 'failed', :at, :at, 'it broke', '{"scored": 3}')
        """,
        id=uuid5(SPACE, "run"),
        at=NEWEST,
    )
    _execute(
        connection,
        "INSERT INTO monitor.job_run VALUES (:id, 'calibrate', 'succeeded', :at, :at, NULL, CAST(:counts AS jsonb))",
        id=uuid5(SPACE, "weighed"),
        at=NEWEST,
        counts=json.dumps(WEIGHED),
    )
    for number, (user, score) in enumerate(ALERTS.items()):
        _account(connection, user, score, NEWEST - timedelta(hours=number))


def _account(connection: Connection, user: str, score: float, at: datetime) -> None:
    account, hostile = account_of(user), user == HOSTILE_USER
    _execute(connection, "INSERT INTO monitor.account VALUES (:id, :user, 1, :at)", id=account, user=user, at=at)
    _execute(
        connection,
        """
        INSERT INTO monitor.account_state VALUES (:id, now(), :feature, :value, :weight,
            array_fill(extract(epoch FROM CAST(:at AS timestamptz))::double precision, ARRAY[4]), '{}', '')
        """,
        id=account,
        feature=["country", "country", "device", "hour"],
        value=["DE", "FR", XSS if hostile else "laptop", "08"],
        weight=[30.0, 10.0, 40.0, 40.0],
        at=at,
    )
    for day in range(40, 0, -1):
        _login(connection, account, f"usual-{day}", at - timedelta(days=day), "Berlin", "DE", 52.5, 13.4, 0.3)
    place = XSS if hostile else "Lagos"
    _login(connection, account, "odd", at, place, "NG", 6.5, 3.4, score)
    _alert(connection, account, user, score, at, place)


def _alert(connection: Connection, account: UUID, user: str, score: float, at: datetime, place: str) -> None:
    hostile = user == HOSTILE_USER
    alert = alert_of(user)
    _execute(
        connection,
        """
        INSERT INTO monitor.alert VALUES (:id, :account, :at, :at, :score, :severity, 'open', :headline, 1, :campaign,
            :thin, :at, :at)
        """,
        id=alert,
        account=account,
        at=at,
        score=score,
        severity="critical" if score >= 5 else "high" if score >= 4 else "medium",
        headline=f"First login from {place}, NG; new device {RIGHT_TO_LEFT if hostile else ''}",
        campaign=CAMPAIGN if user.startswith("spray") else None,
        thin=user.startswith("carol"),
    )
    event = {
        "event_id": "odd", "occurred_at": at.isoformat(), "user": user, "outcome": "success", "ip": "192.0.2.9",
        "country": "NG", "region": COMBINING if hostile else None, "city": place, "latitude": 6.5, "longitude": 3.4,
        "asn": 5002, "user_agent": LONG if hostile else "curl/8", "device_id": XSS if hostile else "phone",
        "auth_method": "password", "application": LONG if hostile else "mail", "rtt_ms": None,
    }  # fmt: skip
    reasons = [
        {"feature": "country", "contribution": 4.0, "observed": "NG", "usual": "DE 75 %, FR 25 %", "new": True},
        {
            "feature": "device",
            "contribution": 2.5,
            "observed": event["device_id"],
            "usual": "laptop 100 %",
            "new": True,
        },
        {"feature": "hour", "contribution": 0.5, "observed": "12:00 UTC", "usual": LONG if hostile else "08 100 %"},
    ]
    _execute(
        connection,
        """
        INSERT INTO monitor.alert_event VALUES (:account, 'vpn', 'odd', :at, :alert, :score, CAST(:event AS jsonb),
            CAST(:reasons AS jsonb), NULL)
        """,
        account=account,
        at=at,
        alert=alert,
        score=score,
        event=json.dumps(event),
        reasons=json.dumps(reasons),
    )


def _login(
    connection: Connection, account: UUID, event_id: str, at: datetime, city: str, country: str, latitude: float,
    longitude: float, score: float,
) -> None:  # fmt: skip
    values = {"account": account, "event": event_id, "at": at}
    _execute(
        connection,
        """
        INSERT INTO monitor.login_event VALUES (:account, 'vpn', :event, :at, 1, 'success', '192.0.2.9', :country, NULL,
            :city, :latitude, :longitude, 5002, 'curl/8', 'curl', 'Linux', 'laptop', 'password', 'mail', 20, :at)
        """,
        **values,
        city=city,
        country=country,
        latitude=latitude,
        longitude=longitude,
    )
    _execute(
        connection,
        """
        INSERT INTO monitor.login_score VALUES (:account, 'vpn', :event, :at, 'success', :score, :score, 3, :alerted,
            :model, :at, '{1,0.5,0.1}', NULL, NULL)
        """,
        **values,
        score=score,
        alerted=score > 3,
        model=MODEL,
    )


def _execute(connection: Connection, statement: str, **values: Any) -> None:
    connection.execute(text(statement), values)
