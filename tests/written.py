"""Rows of single tables, written straight into a database."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, text

from monitor.store import partitions, tables
from monitor.store.engine import writing

MOMENT = datetime(2024, 3, 31, 23, 59, tzinfo=UTC)


def execute(engine: Engine, *statements: str, **values: Any) -> list[Any]:
    with writing(engine) as connection:
        for statement in statements:
            result = connection.execute(text(statement), values)
        return list(result) if result.returns_rows else []


def add_account(engine: Engine, name: str = "ada") -> Any:
    account = uuid4()
    execute(engine, "INSERT INTO monitor.account VALUES (:id, :name, 1, now())", id=account, name=name)
    return account


def add_event(
    engine: Engine, account: Any, event_id: str = "e1", occurred_at: datetime = MOMENT, **values: Any
) -> None:
    with writing(engine) as connection:
        partitions.ensure_months(connection, [occurred_at])
        row = {"account_id": account, "source": "vpn", "event_id": event_id, "occurred_at": occurred_at, "shard": 1}
        row |= {"outcome": "success", "received_at": occurred_at} | values
        connection.execute(tables.login_event.insert().values(row))


def insert_score(
    engine: Engine, account: Any, score: str = "3.5", contribution: str = "{2,0,0.5}", **values: Any
) -> None:
    execute(
        engine,
        """
        INSERT INTO monitor.login_score VALUES (:account, 'vpn', 'e1', :moment, 'success', :score, 2.5, 3, true, :model,
            now(), :contribution, :observed, :usual)
        """,
        **{"observed": None, "usual": None, "model": uuid4()} | values,
        account=account,
        moment=MOMENT,
        score=score,
        contribution=contribution,
    )


def add_model(engine: Engine, status: str = "active") -> Any:
    model = uuid4()
    execute(
        engine,
        """
        INSERT INTO monitor.model VALUES (:id, 'rarity', :status, '{country,device,hour}', '', '{}', now(), now())
        """,
        id=model,
        status=status,
    )
    return model


def add_alert(engine: Engine, account: Any, *verdicts: str) -> None:
    alert = uuid4()
    execute(
        engine,
        """
        INSERT INTO monitor.alert VALUES (:id, :account, :moment, :moment, 4, 'high', 'open', 'New country', 1, NULL,
            false, now(), now())
        """,
        id=alert,
        account=account,
        moment=MOMENT,
    )
    for number, verdict in enumerate(verdicts):
        execute(
            engine,
            """
            INSERT INTO monitor.review
            VALUES (gen_random_uuid(), :alert, :verdict, 'eve', NULL, NULL, now() + make_interval(secs => :number))
            """,
            alert=alert,
            verdict=verdict,
            number=number,
        )
