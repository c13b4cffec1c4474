"""Alerts: odd logins of one account that lie close together are one incident, told in one line.

The decision to alert is ``score >= threshold``; everything here is about telling people: grouping, severity, words.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import tzfpy

from monitor.columns import Floats, Ints

#: Odd logins of one account with no longer pause than this between them belong to one incident.
INCIDENT_GAP_S = 12 * 3600.0

#: Alerts of this many accounts from one network (/24, /48) within a day are a campaign: attackers, and offices, have
#: more than one address. So are those that only failed, by one program (user agent) with no longer pause than this
#: between them: a botnet has many networks.
CAMPAIGN_ACCOUNTS, CAMPAIGN_PAUSE_S = 3, 3 * 3600.0

#: Lower bound of each severity, in score: one ordinary login in a thousand, ten thousand, a hundred thousand.
SEVERITIES = ((5.0, "critical"), (4.0, "high"), (3.0, "medium"))

#: A headline names at most this many themes, each at least this share of the oddness.
MOST_REASONS, WORTH_HEADLINE = 4, 0.06

#: Letters of a value that a headline shows.
LONGEST_TEXT = 80


@dataclass(frozen=True)
class Reason:
    """One feature's part in a login's raw oddness, with its words; ``new`` marks a value never seen before."""

    feature: str
    contribution: float
    observed: str | None
    usual: str | None
    new: bool = False


def severity(score: float) -> str:
    return next((name for bound, name in SEVERITIES if score >= bound), "low")


def incidents(account: Ints, time: Floats, open_until: Floats) -> tuple[Ints, "np.ndarray"]:
    """Group odd logins [m], sorted by (account, time), into incidents.

    ``open_until`` [m] is the time of the last login of the account's open alert (NaN without one). Returns the
    incident number of each login, and for each incident whether it continues that open alert.
    """
    new = np.ones(len(time), bool)
    new[1:] = (account[1:] != account[:-1]) | (np.diff(time) > INCIDENT_GAP_S)
    number = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    with np.errstate(invalid="ignore"):
        near = np.flatnonzero(np.abs(time[first] - open_until[first]) <= INCIDENT_GAP_S)
    # Of several incidents of an account in one batch only the first that is near can continue the open alert.
    continues = np.zeros(len(first), bool)
    continues[near[np.unique(account[first][near], return_index=True)[1]]] = True
    return number, continues


def headline(reasons: list[Reason], moment: datetime, latitude: float | None, longitude: float | None) -> str:
    """One line that says what happened, the strongest theme first: five features may say that the place is strange."""
    reasons = [_in_line(reason) for reason in reasons]
    by_feature = {reason.feature: reason for reason in reasons}
    themes: dict[str, list[Reason]] = {}
    for reason in sorted(reasons, key=lambda reason: -reason.contribution):
        themes.setdefault(PHRASES.get(reason.feature, (reason.feature, _plain))[0], []).append(reason)
    weights = {theme: sum(reason.contribution for reason in said) for theme, said in themes.items()}
    worth = WORTH_HEADLINE * sum(weights.values())
    told: dict[str, str] = {}
    for theme in sorted(themes, key=lambda theme: -weights[theme])[:MOST_REASONS]:
        if weights[theme] > 0 and weights[theme] >= worth:
            strongest = themes[theme][0]
            told[theme] = PHRASES.get(strongest.feature, (theme, _plain))[1](strongest, by_feature)
    if "time" in told:
        told["time"] = local_time(moment, latitude, longitude)
    line = "; ".join(told.values()) or "Unusual in many small ways"
    return line[0].upper() + line[1:]


def _in_line(reason: Reason) -> Reason:
    """The reason with words fit for one line, since attackers may have chosen them: nothing invisible, not too much."""
    text = reason.observed
    if text is None or (text.isprintable() and len(text) <= LONGEST_TEXT):
        return reason
    visible = "".join(letter if letter.isprintable() else "�" for letter in text[: LONGEST_TEXT + 1])
    return replace(reason, observed=visible if len(visible) <= LONGEST_TEXT else f"{visible[: LONGEST_TEXT - 1]}…")


def local_time(moment: datetime, latitude: float | None, longitude: float | None) -> str:
    """The time of day where the login came from: "03:12 local", or in UTC when the place is unknown."""
    zone = tzfpy.get_tz(longitude, latitude) if latitude is not None and longitude is not None else ""
    if not zone:
        return f"{moment:%a %H:%M} UTC"
    return f"{moment.astimezone(ZoneInfo(zone)):%a %H:%M} local"


Phrase = Callable[[Reason, dict[str, Reason]], str]


def _plain(reason: Reason, _: dict[str, Reason]) -> str:
    return f"{reason.feature.replace('_', ' ')} {reason.observed or ''}".strip()


def _place(reason: Reason, by_feature: dict[str, Reason]) -> str:
    """The place in its finest known grain, and the journey that it implies."""
    named = [by_feature[name] for name in ("city", "region", "country") if name in by_feature]
    named = [place for place in named if place.observed]
    new = any(place.new for place in named) or reason.feature == "distance"
    where = f" from {named[0].observed}" if named else " far from every known place"
    journey = by_feature.get("travel")
    travelled = f", {_journey(journey.observed)}" if journey and journey.observed else ""
    return f"{'first login' if new else 'rare login'}{where}{travelled}"


def _journey(observed: str) -> str:
    distance, _, time = observed.partition(" in ")
    return f"{distance} from the last one {time} earlier"


def _named(new: str, rare: str) -> Phrase:
    def phrase(reason: Reason, _: dict[str, Reason]) -> str:
        return (new if reason.new else rare).format(reason.observed or "unknown")

    return phrase


def _observed(template: str) -> Phrase:
    return lambda reason, _: template.format(reason.observed or "unusual")


#: Feature → (theme, phrase): of the features of one theme only the strongest is told.
PHRASES: dict[str, tuple[str, Phrase]] = {
    **dict.fromkeys(("country", "region", "city", "distance", "travel"), ("place", _place)),
    "asn": ("network", _named("new network AS{}", "rare network AS{}")),
    "network": ("network", _named("new network {}", "rare network {}")),
    "device": ("device", _named("new device", "rarely used device")),
    "browser": ("agent", _named("new browser {}", "rarely used browser {}")),
    "os": ("agent", _named("new system {}", "rarely used system {}")),
    "auth_method": ("auth_method", _named("first login by {}", "rarely by {}")),
    "application": ("application", _named("first use of {}", "rare use of {}")),
    "hour": ("time", _observed("{}")),
    "weekday": ("time", _observed("{}")),
    "gap": ("gap", _observed("{}")),
    "burst": ("burst", _observed("{}")),
    "failure": ("failure", _observed("{} of a login that rarely fails")),
    "failure_burst": ("failure", _observed("{}")),
    "foreign_failures": ("failure", _observed("{}")),
    "address_accounts": ("address", _observed("{}")),
    "address_failures": ("address", _observed("{}")),
    "network_failures": ("spray", _observed("{}")),
    "rtt": ("rtt", _observed("slow connection ({})")),
}
