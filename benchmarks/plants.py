"""Ordinary logins with exactly one thing about them changed, and the features that the change itself moves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from monitor.columns import Flags

#: Logins of an account before one is planted, so that there are habits to break.
LEAST_HISTORY = 20

#: Logins, or failures, in a planted burst, and the seconds from one to the next.
BURST, FAILURES, PACE_S = 15, 6, 40


@dataclass(frozen=True)
class Planted:
    """Events with plants among them, in order; ``event_ids`` of the planted logins, one an account at most."""

    events: pd.DataFrame
    event_ids: list[str]


Change = Callable[[pd.DataFrame, pd.DataFrame, np.random.Generator], pd.DataFrame]


def plant(
    kind: str, history: pd.DataFrame, later: pd.DataFrame, calm: Flags, count: int, rng: np.random.Generator
) -> Planted:
    """Change one thing about ``count`` of the ``later`` logins that are ``calm`` [n], each of another account.

    There are fewer where fewer allow it. All later logins of these accounts are kept, those of others left out.
    """
    known = history["account_id"].value_counts()
    fit = calm & (later["outcome"] == "success") & (later["account_id"].map(known).fillna(0) >= LEAST_HISTORY)
    shuffled = later[fit].sample(frac=1.0, random_state=rng)
    one_each = shuffled.drop_duplicates("account_id")
    one_each = one_each[possible(kind, one_each)]
    both = pd.concat([history, later])
    changed = KINDS[kind].change(one_each, both, rng).head(count)
    chosen = later["account_id"].isin(changed["account_id"])
    rest = later[chosen & ~later["event_id"].isin(changed["event_id"])]
    events = pd.concat([rest, changed, *_before(kind, changed)])
    events = events.sort_values(["account_id", "occurred_at", "source", "event_id"], ignore_index=True)
    return Planted(events, changed["event_id"].tolist())


def possible(kind: str, logins: pd.DataFrame) -> Flags:
    """Which logins say what is to be changed."""
    needed = {"device": "device_id", "rtt": "rtt_ms", "hour": "user", "burst": "user", "failures": "user"}
    known: Flags = logins[needed.get(kind, kind)].notna().to_numpy()
    return known


def _before(kind: str, changed: pd.DataFrame) -> list[pd.DataFrame]:
    """What comes shortly before the planted logins."""
    copies = {"burst": BURST, "failures": FAILURES}.get(kind, 0)
    outcome = "failure" if kind == "failures" else "success"
    return [
        changed.assign(
            event_id=changed["event_id"] + f"-{number}",
            occurred_at=changed["occurred_at"] - timedelta(seconds=PACE_S * number),
            outcome=outcome,
        )
        for number in range(1, copies + 1)
    ]


def _unseen(columns: list[str], within: list[str]) -> Change:
    """Take ``columns`` from somebody's login that equals this one in ``within``; the first is new to the account."""

    def change(logins: pd.DataFrame, both: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        offered = both.dropna(subset=[columns[0]]).drop_duplicates([*within, columns[0]])
        offered = offered[[*within, *(column for column in columns if column not in within)]]
        pairs = logins.drop(columns=[c for c in columns if c not in within]).merge(
            offered, on=within or None, how="inner" if within else "cross"
        )
        seen = both[["account_id", columns[0]]].drop_duplicates().assign(seen=True)
        pairs = pairs.merge(seen, on=["account_id", columns[0]], how="left")
        new = pairs[pairs["seen"].isna()].drop(columns="seen")
        return new.sample(frac=1.0, random_state=rng).drop_duplicates("account_id")[logins.columns.tolist()]

    return change


def _device(logins: pd.DataFrame, both: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return logins.assign(device_id=[rng.bytes(8).hex() for _ in range(len(logins))])


def _rtt(logins: pd.DataFrame, both: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return logins.assign(rtt_ms=logins["rtt_ms"] * 8)


def _hour(logins: pd.DataFrame, both: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Move the login within its day to the hour furthest from all hours the account keeps."""
    hours = both["occurred_at"].dt.hour
    kept = np.zeros((len(logins), 24))
    rows = pd.Index(logins["account_id"]).get_indexer(pd.Index(both["account_id"]))
    np.add.at(kept, (rows[rows >= 0], hours.to_numpy()[rows >= 0]), 1.0)
    near = np.sum([np.roll(kept, shift, axis=1) for shift in range(-3, 4)], axis=0)
    quiet = near.min(axis=1) == 0  # night workers around the clock have no odd hour
    moved = logins["occurred_at"].dt.normalize() + pd.to_timedelta(near.argmin(axis=1), unit="h")
    minutes = logins["occurred_at"] - logins["occurred_at"].dt.floor("h")
    return logins.assign(occurred_at=(moved + minutes).astype(logins["occurred_at"].dtype))[quiet]


def _unchanged(logins: pd.DataFrame, both: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return logins


@dataclass(frozen=True)
class Kind:
    """How a cause is planted, and the features of which one must be named."""

    change: Change
    features: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "device": Kind(_device, ("device",)),
    "city": Kind(
        _unseen(["city", "region", "latitude", "longitude"], ["country"]), ("city", "region", "distance", "travel")
    ),
    "network": Kind(_unseen(["network", "ip", "asn"], ["country"]), ("network", "asn")),
    "browser": Kind(_unseen(["browser"], []), ("browser",)),
    "application": Kind(_unseen(["application"], []), ("application",)),
    "auth_method": Kind(_unseen(["auth_method"], []), ("auth_method",)),
    "hour": Kind(_hour, ("hour",)),
    "burst": Kind(_unchanged, ("burst",)),
    "failures": Kind(_unchanged, ("failure_burst", "address_failures", "network_failures")),
    "rtt": Kind(_rtt, ("rtt",)),
}
