"""How values look on a page. They come from attackers: besides HTML's, they lose every power over the reader's eye."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from uuid import UUID

from flask import Flask, g, request, session, url_for
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from monitor.review import REASONS
from web.charts import bar

#: Characters of a value in a table; the whole of it stands in the raw events.
LONGEST = 120

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

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
    "foreign_failures": "failures from elsewhere",
    "address_accounts": "accounts from this address",
    "address_failures": "failures from this address",
    "network_failures": "failures from this network",
    "rtt": "connection time",
    "ip": "address",
}


def install(app: Flask) -> None:
    app.jinja_env.filters.update(
        plain=plain, moment=moment, day=day, feature=feature, percent=percent, short=short, since=since, one_in=one_in,
    )  # fmt: skip
    app.jinja_env.globals.update(
        bar=bar, csrf=csrf, alert_url=alert_url, account_url=account_url, page_url=page_url, badge=badge, chips=chips,
        reason_options=reason_options,
    )  # fmt: skip
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(lambda: {"person": g.get("person")})


def page_url(endpoint: str, **values: str) -> str:
    """``url_for`` of a page that is the same for everybody: every page links a dozen of them."""
    return _page_url(request.script_root, endpoint, *values.items())


@lru_cache(maxsize=256)
def _page_url(root: str, endpoint: str, *values: tuple[str, str]) -> str:
    return url_for(endpoint, **dict(values))  # type: ignore[arg-type]


def alert_url(alert_id: UUID) -> str:
    """The address of an alert; a list has fifty of them, and looking each up among the routes is slow."""
    return f"{request.script_root}/alerts/{alert_id}"


def account_url(account_id: UUID) -> str:
    return f"{request.script_root}/accounts/{account_id}"


def csrf() -> Markup:
    """The hidden field that every form carries; its token serves as long as the session, and is signed for it once."""
    if "csrf_token" not in session:
        generate_csrf()  # gives it one
    return _csrf_field(session["csrf_token"])


@lru_cache(maxsize=1024)
def _csrf_field(token: str) -> Markup:
    """For the ``token`` of the session at hand, which may be another than the request began with."""
    g.pop("csrf_token", None)
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def plain(value: object, longest: int = LONGEST) -> Markup:
    """A value as visible text of one line: no direction marks, no control characters, no endless length."""
    if value is None or value == "":
        return Markup('<span class="none">unknown</span>')
    text = str(value)
    return _visible(text if len(text) <= longest else text[:longest] + "…")


@lru_cache(maxsize=8192)
def _visible(text: str) -> Markup:
    """Lists say the same names, places and devices in every row, hence the cache; it holds texts cut short only."""
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
    iso = at.isoformat()
    return Markup(f'<time datetime="{iso}">{WEEKDAYS[at.weekday()]} {iso[:10]} {iso[11:16]}</time>')  # noqa: S704


@lru_cache(maxsize=64)
def badge(word: str) -> Markup:
    """A severity, a status: words of the program's own."""
    return Markup('<span class="badge {0}">{0}</span>').format(word)


def chips(features: Sequence[str] | None) -> Markup:
    """The strongest reasons of an alert, in few words."""
    return _chips(tuple(features or ()))


@lru_cache(maxsize=4096)
def _chips(features: tuple[str, ...]) -> Markup:
    return Markup(" ").join(Markup('<span class="reason">{}</span>').format(feature(name)) for name in features)


def reason_options(chosen: str) -> Markup:
    """The reasons for a verdict, to choose from; only a known one can be chosen."""
    return _reason_options(chosen if any(chosen in words for words in REASONS.values()) else "")


@cache
def _reason_options(chosen: str) -> Markup:
    option, group = Markup('<option value="{}"{}>{}</option>'), Markup('<optgroup label="To {}">{}</optgroup>')
    shown = Markup('<option value="">no reason given</option>')
    for verdict in ("dismiss", "confirm"):
        # "other" serves both verdicts, and stands once.
        words = {word: phrase for word, phrase in REASONS[verdict].items() if verdict == "dismiss" or word != "other"}
        shown += group.format(
            verdict,
            Markup("").join(
                option.format(
                    word, Markup(" selected") if word == chosen else "", "other (either)" if word == "other" else phrase
                )
                for word, phrase in words.items()
            ),
        )
    return shown


def one_in(score: float) -> str:
    """The share of ordinary logins that a score stands for; beyond what they reach it is no more than an order."""
    if score > 9:
        return "fewer than one in a billion"
    return f"about one in {float(f'{10**score:.1g}'):,.0f}"


def day(value: date | datetime | None) -> str:
    return value.isoformat()[:10] if value else ""


def since(now: datetime, then: datetime) -> str:
    """How long ago, in the largest unit that makes sense."""
    seconds = max((now - then).total_seconds(), 0.0)
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def feature(name: str) -> str:
    return FEATURES.get(name, name.replace("_", " "))


def percent(share: float | None) -> str:
    if share is None:
        return "–"
    return f"{share:.0%}" if share >= 0.0095 or share == 0 else f"{share:.1%}"
