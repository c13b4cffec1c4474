"""What a single field of a login event may say: one cleaner a column, applied to distinct values by `monitor.events`.

A cleaner takes text that is not blank and returns its canonical value; it raises ``ValueError`` with a reason a person
understands when the text is no such value. Who logs in chooses some of these texts, so nothing here trusts them.
"""

import ipaddress
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import pycountry
import ua_parser

MAX_TEXT = 512  # characters; PostgreSQL's B-tree keys end at 2,704 bytes, and ua-parser takes 0.8 s for 30 kB
MAX_RTT_MS = 86_400_000.0  # a day

# XK (Kosovo) is no ISO code but what every GeoIP database says; refusing it would lose real logins.
COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries) | {"XK"}

_ASN = re.compile(r"(?:AS)?(\d{1,10})(?:\.0+)?", re.ASCII | re.IGNORECASE)
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
# Control characters drive terminals, bidirectional overrides disguise names.
_DISGUISE = re.compile("[\x01-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shown(text: str, limit: int = 40) -> str:
    """`text` quoted for a message: at most `limit` characters, and only ones that can be stored and printed."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return ascii(short) if not short.isprintable() else f"'{short}'"


def unknown_column(name: str) -> str:
    """The reason that a column is none of the canonical ones."""
    return f"unknown column {shown(name)[1:-1]}"


def storable(text: str, limit: int = 500) -> str:
    """A copy of a raw record that PostgreSQL and a terminal take: shortened, with control characters escaped."""
    short = text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"
    if short.isprintable():
        return short
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in short)


def refuse_unstorable(text: str) -> None:
    """Refuse what PostgreSQL cannot keep: NUL, and halves of surrogate pairs."""
    if text.isprintable():
        return
    if "\0" in text:
        raise ValueError("contains a NUL character")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("contains a lone surrogate, which is no character")


def unremarkable(texts: Sequence[str]) -> bool:
    """Whether every text is one that the cleaners of free text, names and ids leave as it is; told at once for all."""
    joined = "".join(texts)
    return joined.isascii() and joined.isprintable() and max(map(len, texts), default=0) <= MAX_TEXT


def free_text(text: str) -> str:
    """Descriptive text. Control characters become U+FFFD: refusing them would let an attacker hide a login."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    return text if text.isprintable() else _DISGUISE.sub("\N{REPLACEMENT CHARACTER}", text)


def user_name(text: str) -> str:
    """The account's name as its source writes it, case and outer blanks kept, in Unicode NFC (RFC 8265, 3.3)."""
    return free_text(text if text.isascii() else unicodedata.normalize("NFC", text))


def identifier(text: str) -> str:
    """An event's id: kept exactly, hence refused where `free_text` would have to change it."""
    if free_text(text) != text:
        raise ValueError("contains a control character")
    return text


def user_agent(text: str) -> str:
    """A browser's description of itself, cut at 512 characters."""
    return free_text(text[:MAX_TEXT])


def outcome(text: str) -> str:
    word = text.lower()
    if word not in ("success", "failure"):
        raise ValueError(f"{shown(text)} is neither 'success' nor 'failure'")
    return word


def country(text: str) -> str:
    """ISO 3166-1 alpha-2, or XK."""
    code = text.upper()
    if code not in COUNTRIES or not text.isascii():  # the upper case of ß is SS
        raise ValueError(f"{shown(text)} is no ISO 3166-1 alpha-2 code")
    return code


def ip(text: str) -> str:
    """An address in its shortest form; IPv4-mapped IPv6 becomes IPv4 and a zone id, which is local to a host, goes."""
    if _IPV4.match(text):
        return text
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        raise ValueError(f"{shown(text)} is no IPv4 or IPv6 address") from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def asn(text: str) -> float:
    """An autonomous system number, 32 bits (RFC 6793); '64496', 'AS64496' and the '64496.0' of spreadsheets."""
    match = _ASN.fullmatch(text)
    if not match or int(match[1]) >= 2**32:
        raise ValueError(f"{shown(text)} is no autonomous system number")
    return float(match[1])


def number(lowest: float, highest: float) -> Callable[[str], float]:
    """A cleaner of decimal numbers within [lowest, highest]."""

    def clean(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        # Python's float also takes 1_000 and the digits of other scripts.
        if not math.isfinite(value) or "_" in text or not text.isascii():
            raise ValueError(f"{shown(text)} is no number")
        if not lowest <= value <= highest:
            raise ValueError(f"{shown(text)} is outside {lowest:g} to {highest:g}")
        return value + 0.0  # -0.0 and 0.0 are one place

    return clean


@lru_cache(maxsize=100_000)
def browser_and_os(agent: str) -> tuple[str | None, str | None]:
    """Families without versions, by ua-parser: an update is not a new device."""
    browser, system = ua_parser.parse_user_agent(agent), ua_parser.parse_os(agent)
    return (browser.family if browser else None, system.family if system else None)


#: Columns whose values are text.
TEXT: Mapping[str, Callable[[str], str]] = {
    "event_id": identifier,
    "user": user_name,
    "outcome": outcome,
    "ip": ip,
    "country": country,
    "region": free_text,
    "city": free_text,
    "user_agent": user_agent,
    "device_id": free_text,
    "auth_method": free_text,
    "application": free_text,
}

#: Columns whose cleaners leave `unremarkable` texts as they are.
ANY_TEXT = frozenset({"event_id", "user", "region", "city", "user_agent", "device_id", "auth_method", "application"})

#: Columns whose values are numbers; unknown is NaN.
NUMBERS: Mapping[str, Callable[[str], float]] = {
    "latitude": number(-90, 90),
    "longitude": number(-180, 180),
    "asn": asn,
    "rtt_ms": number(0, MAX_RTT_MS),
}
