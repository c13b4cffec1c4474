"""What all tables share."""

from sqlalchemy import Column, DateTime, MetaData, Text, Uuid

metadata = MetaData(schema="monitor")


def time(name: str, *, nullable: bool = True, primary_key: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable and not primary_key, primary_key=primary_key)


def event_key() -> list[Column[object]]:
    """The identity of one login event; also its idempotency key."""
    return [
        Column("account_id", Uuid, primary_key=True),
        Column("source", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        time("occurred_at", primary_key=True),
    ]
