"""Small building blocks: registers that grow (networks, devices), batches of logins, and hashing."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Kinds of ordinary logins that a detector finds hard. Plain ordinary logins have the empty scenario.
BENIGN = (
    "trip",
    "house_move",
    "provider_change",
    "geolocation_update",
    "new_device",
    "newcomer",
    "return_from_leave",
    "night_work",
    "typo_burst",
    "stale_password",
    "new_application",
    "new_auth_method",
    "host_migration",
    "vpn",
    "guest_network",
    "device_id_renewed",
    "browser_update",
)

#: Kinds of attack, as they stand in the labels' ``scenario``.
ATTACKS = (
    "takeover_abroad",
    "takeover_same_country",
    "takeover_residential_proxy",
    "credential_stuffing",
    "password_spray_fast",
    "password_spray_slow",
    "brute_force",
    "session_token_theft",
    "mfa_fatigue",
    "dormant_account",
    "insider_night",
    "slow_drift",
    "service_account_interactive",
)
SCENARIOS = ("", *BENIGN, *ATTACKS)
CODE = {name: code for code, name in enumerate(SCENARIOS)}

Rows = dict[str, NDArray[Any]]

#: The columns of a batch of logins with their values where nothing else is said.
_LOGIN: dict[str, Any] = {
    "account": np.int32(-1),
    "seconds": np.float64(0),  # UTC, since the start of the simulation
    "success": np.True_,
    "link": np.int32(-1),
    "city": np.int16(-1),  # where the address is thought to be; -1: where the link is
    "device": np.int32(-1),
    "auth": np.int8(0),
    "application": np.int16(-1),
    "scenario": np.int8(0),
    "incident": np.int32(-1),
    "detour_km": np.float32(0),  # what the packets travel besides the way from the address to the service
}


def logins(**columns: ArrayLike) -> Rows:
    """A batch of logins: given columns broadcast to one length, the others at their defaults."""
    length = np.broadcast_shapes((1,), *(np.shape(column) for column in columns.values()))
    rows: Rows = {}
    for name, default in _LOGIN.items():
        rows[name] = np.broadcast_to(np.asarray(columns.get(name, default), dtype=default.dtype), length).copy()
    if extra := columns.keys() - _LOGIN.keys():
        raise KeyError(f"not columns of a login: {sorted(extra)}")
    return rows


def take(rows: Rows, index: NDArray[Any]) -> Rows:
    """The logins at ``index`` (positions or a mask)."""
    return {name: column[index] for name, column in rows.items()}


def stack(batches: list[Rows]) -> Rows:
    """Several batches as one; no batch at all gives an empty one."""
    return {
        name: np.concatenate([batch[name] for batch in batches]) if batches else np.empty(0, default.dtype)
        for name, default in _LOGIN.items()
    }


class Register:
    """A table that grows: networks and devices get their row number when they first appear."""

    def __init__(self, **defaults: Any) -> None:
        self._defaults = {name: np.asarray(value) for name, value in defaults.items()}
        self._parts: dict[str, list[NDArray[Any]]] = {name: [] for name in defaults}
        self._whole: dict[str, NDArray[Any]] = {}
        self.size = 0

    def add(self, count: int, **columns: ArrayLike) -> NDArray[np.int32]:
        """Append ``count`` rows (columns broadcast) and return their row numbers."""
        if extra := columns.keys() - self._defaults.keys():
            raise KeyError(f"not columns of this register: {sorted(extra)}")
        for name, default in self._defaults.items():
            values = np.asarray(columns.get(name, default), dtype=default.dtype)
            self._parts[name].append(np.broadcast_to(values, count).copy())
        self._whole.clear()
        first, self.size = self.size, self.size + count
        return np.arange(first, self.size, dtype=np.int32)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._whole:
            parts = self._parts[name]
            self._whole[name] = np.concatenate(parts) if parts else np.empty(0, self._defaults[name].dtype)
            self._parts[name] = [self._whole[name]]
        return self._whole[name]


def mix(*parts: ArrayLike) -> NDArray[np.uint64]:
    """A 64-bit hash of integer columns (splitmix64, Steele et al. 2014): the same parts, the same number."""
    with np.errstate(over="ignore"):
        value = np.uint64(0x9E3779B97F4A7C15) + np.zeros(1, np.uint64)
        for part in parts:
            value = value ^ np.asarray(part).astype(np.int64).view(np.uint64)
            value = (value + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
            value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            value = value ^ (value >> np.uint64(31))
    return np.asarray(value)


def choose(rng: np.random.Generator, weights: NDArray[np.floating[Any]], size: int) -> NDArray[np.int64]:
    """``size`` draws of an index with the given weights."""
    return rng.choice(len(weights), size=size, p=weights / weights.sum())


def choose_rows(uniform: NDArray[np.float64], cumulative: NDArray[np.float32]) -> NDArray[np.int16]:
    """For each row of ``cumulative`` (shares, ending at 1) the index that ``uniform`` falls on."""
    index = np.empty(len(uniform), np.int16)
    for first in range(0, len(uniform), 200_000):  # bounds the temporary matrix
        part = slice(first, first + 200_000)
        index[part] = (cumulative[part] < uniform[part, None]).sum(axis=1)
    return np.minimum(index, np.int16(cumulative.shape[1] - 1))
