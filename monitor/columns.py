"""A batch of logins as NumPy columns, and the grouped cumulative sums that replace a loop over logins.

Every step works on these columns, sorted by account and time, so that "what was known before this login" is a
cumulative sum within the account on top of what was stored: one login is a batch of one.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Objects = NDArray[np.object_]

#: What identifies a login.
KEY = ("account_id", "source", "event_id", "occurred_at")

#: What an account can be used to: each is a column of ``Logins.values`` and a feature of the baseline.
CATEGORICAL = (
    "country",
    "region",
    "city",
    "asn",
    "network",
    "device",
    "browser",
    "os",
    "auth_method",
    "application",
)

UNKNOWN = -1

#: Logins in a window: at one to five logins a day, the last days to two weeks.
LENGTH = 16


@dataclass(frozen=True)
class Values:
    """One categorical column: ``codes`` [n] point into ``names``; ``UNKNOWN`` where the source said nothing."""

    codes: Ints
    names: Objects

    def of(self, rows: Flags) -> "Values":
        """The column of some logins, without the names that none of them has."""
        used, codes = np.unique(self.codes[rows], return_inverse=True)
        known = used != UNKNOWN
        return Values(codes - np.count_nonzero(~known), self.names[used[known]])

    def text(self, rows: Ints) -> list[str | None]:
        return [None if code == UNKNOWN else str(self.names[code]) for code in self.codes[rows].tolist()]


@dataclass(frozen=True)
class Logins:
    """``n`` logins of ``a`` accounts, sorted by (account, time).

    ``account`` [n] points into ``accounts`` [a] (UUIDs); ``time`` is seconds since the epoch; ``learnable`` is false
    for logins that must never enter a baseline (confirmed attacks, alerts that still wait for a verdict), ``vouched``
    true for those that do whoever came (dismissed, beforehand or since, or left unreviewed for too long).
    """

    account: Ints
    accounts: Objects
    time: Floats
    success: Flags
    learnable: Flags
    vouched: Flags
    values: dict[str, Values]
    address: Values
    latitude: Floats
    longitude: Floats
    rtt_ms: Floats

    def __len__(self) -> int:
        return len(self.time)

    @property
    def starts(self) -> Ints:
        """First row of each account [a]."""
        return np.searchsorted(self.account, np.arange(len(self.accounts)))

    @property
    def first(self) -> Flags:
        """Whether a row is its account's first of the batch [n]."""
        return first_of_runs(self.account)

    def accounts_where(self, flags: Flags) -> Flags:
        """Which accounts [a] have a login for which the flag [n] holds."""
        return np.bincount(self.account[flags], minlength=len(self.accounts)) > 0

    def of(self, accounts: Flags) -> "Logins":
        """The logins of the accounts for which the flag [a] is set, with those accounts renumbered in order."""
        rows = accounts[self.account]
        number = np.cumsum(accounts) - 1
        return Logins(
            account=number[self.account[rows]],
            accounts=self.accounts[accounts],
            time=self.time[rows],
            success=self.success[rows],
            learnable=self.learnable[rows],
            vouched=self.vouched[rows],
            values={name: column.of(rows) for name, column in self.values.items()},
            address=self.address.of(rows),
            latitude=self.latitude[rows],
            longitude=self.longitude[rows],
            rtt_ms=self.rtt_ms[rows],
        )


#: The columns of the frame that ``encode`` reads, beside ``occurred_at``.
FRAME_TEXTS = (
    "account_id",
    "outcome",
    "ip",
    "network",
    "country",
    "region",
    "city",
    "browser",
    "os",
    "device_id",
    "auth_method",
    "application",
)
FRAME_NUMBERS = ("latitude", "longitude", "asn", "rtt_ms")


def encode(events: pd.DataFrame) -> Logins:
    """Encode a frame of stored events (``account_id``, ``occurred_at``, canonical columns, ``network``).

    The frame must be sorted by (account_id, occurred_at); an optional column ``learnable`` defaults to true, and
    ``vouched`` to false.
    """
    account, accounts = pd.factorize(events["account_id"])
    return Logins(
        account=account.astype(np.int64),
        accounts=np.asarray(accounts, dtype=object),
        time=seconds(events["occurred_at"]),
        success=(events["outcome"] == "success").to_numpy(bool),
        learnable=(events["learnable"].to_numpy(bool) if "learnable" in events else np.ones(len(events), bool)),
        vouched=(events["vouched"].to_numpy(bool) if "vouched" in events else np.zeros(len(events), bool)),
        values={
            "country": _coded(events["country"]),
            "region": _qualified(events, "region", "country"),
            "city": _qualified(events, "city", "country"),
            "asn": _coded(events["asn"].astype("Int64").astype("str").where(events["asn"].notna())),
            "network": _coded(events["network"]),
            "device": _coded(events["device_id"]),
            "browser": _coded(events["browser"]),
            "os": _coded(events["os"]),
            "auth_method": _coded(events["auth_method"]),
            "application": _coded(events["application"]),
        },
        address=_coded(events["ip"]),
        latitude=events["latitude"].to_numpy(np.float64),
        longitude=events["longitude"].to_numpy(np.float64),
        rtt_ms=events["rtt_ms"].to_numpy(np.float64),
    )


def seconds(times: "pd.Series[pd.Timestamp]") -> Floats:
    """Timestamps as seconds since the epoch (UTC), to the microsecond."""
    microseconds: Ints = times.astype("datetime64[us, UTC]").astype(np.int64).to_numpy()
    return microseconds / 1e6


def _coded(column: "pd.Series[str]") -> Values:
    codes, names = pd.factorize(column)
    return Values(codes.astype(np.int64), np.asarray(names, dtype=object))


def _qualified(events: pd.DataFrame, name: str, within: str) -> Values:
    """A place name with its country, since there is a Paris in Texas; built once per distinct pair."""
    inner, outer = _coded(events[name]), _coded(events[within])
    pair = np.where(inner.codes == UNKNOWN, UNKNOWN, inner.codes * (len(outer.names) + 1) + outer.codes + 1)
    codes, pairs = pd.factorize(np.where(pair < 0, UNKNOWN, pair))
    codes = np.where(pair < 0, UNKNOWN, codes).astype(np.int64)
    names = np.empty(len(pairs), dtype=object)
    for i, number in enumerate(pairs):
        if number >= 0:
            where = number % (len(outer.names) + 1) - 1
            town = inner.names[number // (len(outer.names) + 1)]
            names[i] = f"{town}, {outer.names[where]}" if where >= 0 else town
    return Values(codes, names)


def first_of_runs(codes: Ints) -> Flags:
    """Where a new run of equal codes begins [n]."""
    starts = np.ones(len(codes), bool)
    starts[1:] = codes[1:] != codes[:-1]
    return starts


#: Amounts further apart than this are summed group by group: the large ones of one would drown the small of the next.
_COMPARABLE = 1e4


def before(amounts: Floats, starts: Flags) -> Floats:
    """Sum of the earlier ``amounts`` ≥ 0, [n] or [n, k], of the same group; ``starts`` marks each group's first row."""
    exclusive = np.zeros_like(amounts)  # the sum shifted, not the sum less the amount: what adds nought is nought
    positive = amounts[amounts > 0]
    if len(positive) and positive.max() > _COMPARABLE * positive.min():
        totals = pd.DataFrame(amounts.reshape(len(amounts), -1)).groupby(np.cumsum(starts)).cumsum().to_numpy()
        exclusive[1:] = totals.reshape(amounts.shape)[:-1]
        exclusive[starts] = 0.0
        return exclusive
    np.cumsum(amounts[:-1], axis=0, out=exclusive[1:])
    rows = np.flatnonzero(starts)
    lengths = np.diff(np.append(rows, len(amounts)))
    exclusive -= np.repeat(exclusive[rows], lengths, axis=0)
    return exclusive


def latest_before(rows: Flags, starts: Flags) -> Ints:
    """Row of the latest earlier login of the same group for which ``rows`` holds, or -1 [n]."""
    index = np.arange(len(rows))
    latest = np.maximum.accumulate(np.where(rows, index, -1))
    previous = np.concatenate([[-1], latest[:-1]])
    group_start = np.maximum.accumulate(np.where(starts, index, 0))
    return np.where(previous >= group_start, previous, -1)


def leaky_sum(amounts: Floats, time: Floats, starts: Flags, lifetime: float) -> Floats:
    """Sum of this and earlier amounts (≥ 0, [n] or [n, k]) of the group, each fading as exp(-age / lifetime)."""
    return _leaky(np.logaddexp, amounts, time, starts, lifetime)


def leaky_max(amounts: Floats, time: Floats, starts: Flags, lifetime: float) -> Floats:
    """Largest of this and earlier amounts (≥ 0, [n] or [n, k]) of the group, each fading as exp(-age / lifetime)."""
    return _leaky(np.maximum, amounts, time, starts, lifetime)


def _leaky(combine: np.ufunc, amounts: Floats, time: Floats, starts: Flags, lifetime: float) -> Floats:
    """What is left of all amounts so far, their logarithms put together by ``combine``.

    Running in logarithms neither overflows nor loops; groups are set so far apart that the leak from one into the next
    is below the smallest float.
    """
    if not len(amounts):
        return np.zeros_like(amounts)
    scaled = time / lifetime
    scaled = scaled - scaled.min()
    shift = scaled + np.cumsum(starts) * (np.ptp(scaled) + 800.0)
    shift = shift.reshape(-1, *[1] * (amounts.ndim - 1))
    with np.errstate(divide="ignore"):
        logs = np.log(amounts) + shift
    leaking: Floats = np.exp(combine.accumulate(logs, axis=0) - shift)
    return leaking
