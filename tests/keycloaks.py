"""Databases like Keycloak's own."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text

from monitor.store.engine import writing

# As Keycloak's Liquibase change sets make them, without the columns that no login needs.
TABLES = """
    CREATE TABLE realm (id varchar(36) PRIMARY KEY, name varchar(255));
    CREATE TABLE user_entity (
        id varchar(36) PRIMARY KEY, email varchar(255), realm_id varchar(255), username varchar(255)
    );
    CREATE TABLE event_entity (
        id varchar(36) PRIMARY KEY, client_id varchar(255), details_json varchar(2550), error varchar(255),
        ip_address varchar(255), realm_id varchar(255), session_id varchar(255), event_time bigint, type varchar(255),
        user_id varchar(255)
    );
    CREATE INDEX idx_event_time ON event_entity (realm_id, event_time);
    INSERT INTO realm VALUES ('r1', 'corp');
    INSERT INTO user_entity VALUES ('a1', 'ana@corp.example', 'r1', 'ana');
"""


def event(
    name: str, moment: datetime, kind: str = "LOGIN", details: object = None, **columns: object
) -> dict[str, Any]:
    """A row of ``event_entity``."""
    return {
        "id": name,
        "client_id": "portal",
        "details_json": details if isinstance(details, str) else json.dumps(details or {"username": "ana"}),
        "error": None,
        "ip_address": "192.0.2.7",
        "realm_id": "r1",
        "event_time": int(moment.timestamp() * 1000),
        "type": kind,
        "user_id": "a1",
    } | columns


def add(keycloak: Engine, *events: dict[str, Any]) -> None:
    """Store events of the same columns in one transaction."""
    names = events[0].keys()
    insert = f"INSERT INTO event_entity ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    with writing(keycloak) as connection:
        connection.execute(text(insert), list(events))


def happened(
    keycloak: Engine, name: str, moment: datetime, kind: str = "LOGIN", details: object = None, **columns: object
) -> None:
    add(keycloak, event(name, moment, kind, details, **columns))
