"""Places: the speed that the journey from the last login implies, and the distance to the nearest usual place."""

import numpy as np
import pandas as pd

from monitor.columns import UNKNOWN, Floats, Ints, Values, latest_before
from monitor.features.evidence import Context, Evidence, span
from monitor.geography import certain_distance_km, distance_km, implied_speed_kmh

#: Evidence is the logarithm of the speed in units of a fast train, and of the distance in units of a day's commute.
SPEED_UNIT_KMH = 100.0
DISTANCE_UNIT_KM = 100.0


def travel(context: Context) -> Evidence:
    """Implied speed since the account's last ordinary login with a place."""
    logins, past = context.logins, context.past
    placed = np.isfinite(logins.latitude) & np.isfinite(logins.longitude)
    previous = latest_before(past.learned & placed, past.first)
    before = {
        "latitude": logins.latitude,
        "longitude": logins.longitude,
        "place_time": logins.time,
    }
    origin = {name: np.where(previous >= 0, column[previous], past.last(name)) for name, column in before.items()}
    kilometres = distance_km(origin["latitude"], origin["longitude"], logins.latitude, logins.longitude)
    seconds = np.maximum(logins.time - origin["place_time"], 0.0)
    speed = implied_speed_kmh(kilometres, seconds)
    last = context.last_rows(past.learned & placed)
    for name, column in before.items():
        past.keep(name, last, column)

    def observed(rows: Ints) -> list[str | None]:
        return [f"{kilometres[i]:,.0f} km in {span(seconds[i])}" if np.isfinite(kilometres[i]) else None for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        return ["a speed people travel at"] * len(rows)

    return Evidence(np.log1p(speed / SPEED_UNIT_KMH), observed, usual)


def distance(context: Context) -> Evidence:
    """Distance to the nearest place where the account was before; 0 at a place it knows."""
    logins = context.logins
    places = _cells(logins.latitude, logins.longitude)
    known = context.past.known("place", places)
    nearest = np.where(known.touched, 0.0, np.nan)
    rows = np.flatnonzero(~known.touched & (known.total > 0))
    nearest[rows] = _nearest_known(context, places, rows)

    def observed(rows: Ints) -> list[str | None]:
        return [f"{nearest[i]:,.0f} km from the nearest known place" if np.isfinite(nearest[i]) else None for i in rows]

    def usual(rows: Ints) -> list[str | None]:
        entries = context.past.stored.entries["place"]
        count = np.bincount(entries.account[entries.weight > 0], minlength=len(logins.accounts))
        return [f"one of {count[account]} known places" for account in logins.account[rows]]

    return Evidence(np.log1p(certain_distance_km(nearest) / DISTANCE_UNIT_KM), observed, usual)


def _cells(latitude: Floats, longitude: Floats) -> Values:
    """Places as cells of a tenth of a degree (about 10 km), named "48.2,16.4"."""
    north, east = np.round(latitude * 10), np.round(longitude * 10)
    cell = np.where(np.isfinite(north + east), north * 10_000 + east, np.nan)
    codes, cells = pd.factorize(cell)  # NaN becomes UNKNOWN
    north_of = np.round(cells / 10_000)
    names = [f"{n / 10:.1f},{(c - n * 10_000) / 10:.1f}" for c, n in zip(cells, north_of, strict=True)]
    return Values(codes.astype(np.int64), np.array(names, object))


def _nearest_known(context: Context, places: Values, rows: Ints) -> Floats:
    """Kilometres from each login at ``rows`` (new places, a few per cent) to the account's nearest earlier place."""
    logins, entries = context.logins, context.past.stored.entries["place"]
    wanted = np.zeros(len(logins.accounts), bool)
    wanted[logins.account[rows]] = True
    usual = np.flatnonzero((entries.weight > 0) & wanted[entries.account])
    learned = np.flatnonzero(context.past.learned & (places.codes != UNKNOWN) & wanted[logins.account])
    pair = logins.account[learned] * len(places.names) + places.codes[learned]
    learned = learned[np.unique(pair, return_index=True)[1]]  # the first time at each place
    account = np.concatenate([entries.account[usual], logins.account[learned]])
    cell = np.concatenate([entries.value[usual], places.names[places.codes[learned]]])
    since = np.concatenate([np.full(len(usual), -np.inf), logins.time[learned]])

    order = np.argsort(account, kind="stable")
    low, high = (np.searchsorted(account[order], logins.account[rows], side) for side in ("left", "right"))
    count = high - low
    row = np.repeat(rows, count)
    place = order[np.arange(len(row)) + np.repeat(low - np.cumsum(count) + count, count)]
    earlier = since[place] < logins.time[row]
    row, place = row[earlier], place[earlier]
    used, which = np.unique(place, return_inverse=True)
    where = np.array([text.split(",") for text in cell[used]], float).reshape(-1, 2)[which]
    kilometres = distance_km(logins.latitude[row], logins.longitude[row], where[:, 0], where[:, 1])
    nearest = np.full(len(logins), np.inf)
    np.minimum.at(nearest, row, kilometres)
    return np.where(np.isfinite(nearest[rows]), nearest[rows], np.nan)
