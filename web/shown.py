"""How values look on a page. They come from attackers: besides HTML's, they lose every power over the reader's eye."""

import math
from datetime import UTC, date, datetime
from uuid import UUID

from flask import Flask, g, request
from markupsafe import Markup, escape

from web.charts import bar

#: Characters of a value in a table; the whole of it stands in the raw events.
LONGEST = 120

#: Feature → what it is called on a page.
FEATURES = {
    "asn": "network (AS)",
    "network": "network (prefix)",
    "os": "system",
    "auth_method": "sign-in method",
    "hour": "time of day",
    "travel": "travel speed",
    "distance": "distance from known places",
    "gap": "pause since last login",
    "burst": "many logins at once",
    "failure": "failed login",
    "failure_burst": "failures in a row",
    "address_accounts": "accounts from this address",
    "address_failures": "failures from this address",
    "network_failures": "failures from this network",
    "rtt": "connection time",
    "ip": "address",
}


def install(app: Flask) -> None:
    app.jinja_env.filters.update(plain=plain, moment=moment, day=day, feature=feature, percent=percent, short=short)
    app.jinja_env.globals.update(bar=bar, log=math.log, alert_url=alert_url)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(lambda: {"person": g.get("person")})


def alert_url(alert_id: UUID) -> str:
    """The address of an alert; a list has fifty of them, and looking each up among the routes is slow."""
    return f"{request.script_root}/alerts/{alert_id}"


def plain(value: object, longest: int = LONGEST) -> Markup:
    """A value as visible text of one line: no direction marks, no control characters, no endless length."""
    if value is None or value == "":
        return Markup('<span class="none">unknown</span>')
    text = str(value)
    if len(text) > longest:
        text = text[:longest] + "…"
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return Markup(f"<bdi>{escape(text)}</bdi>")  # noqa: S704


def short(value: object, longest: int = 40) -> Markup:
    return plain(value, longest)


def moment(value: datetime | None) -> Markup:
    """A time in UTC, with the day of the week: reviewers think in weekdays."""
    if value is None:
        return Markup('<span class="none">never</span>')
    at = value.astimezone(UTC)
    return Markup(f'<time datetime="{at.isoformat()}">{at:%a %Y-%m-%d %H:%M}</time>')  # noqa: S704


def day(value: date | datetime | None) -> str:
    return f"{value:%Y-%m-%d}" if value else ""


def feature(name: str) -> str:
    return FEATURES.get(name, name.replace("_", " "))


def percent(share: float | None) -> str:
    if share is None:
        return "–"
    return f"{share:.0%}" if share >= 0.0095 or share == 0 else f"{share:.1%}"
