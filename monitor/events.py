"""The columns of a login event, and the gate they come through: `validate`.

Everything behind the gate may rely on `EVENT_COLUMNS`: right types, canonical values, unknown as NA. Work is done once
per distinct value and in columns: a chunk of 50,000 records takes a fraction of a second.
"""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitor import fields

# fmt: off
#: What a source may say of a login; only occurred_at and user are required.
CANONICAL_COLUMNS = [
    "event_id", "occurred_at", "user", "outcome", "ip", "country", "region", "city", "latitude", "longitude",
    "asn", "user_agent", "device_id", "auth_method", "application", "rtt_ms",
]
#: The columns of a validated frame, in order; the last two are for `monitor.enrichment` to fill.
EVENT_COLUMNS = [
    "source", "event_id", "occurred_at", "user", "outcome", "ip", "country", "region", "city", "latitude", "longitude",
    "asn", "user_agent", "browser", "os", "device_id", "auth_method", "application", "rtt_ms",
    "accuracy_km", "network_kind",
]
# fmt: on

#: An event further in the future than this waits: its clock is wrong, and it would move baselines ahead of time.
CLOCK_SKEW = timedelta(minutes=5)

MAX_SOURCE = 200  # bytes of a source's name

_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_ISO_TIME = re.compile(
    r"\d{4}-?\d\d-?\d\d[Tt ]\d\d:?\d\d(?::?\d\d(?:[.,]\d{1,12})?)?(?P<zone> ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?", re.ASCII
)
_KEPT_AS_WRITTEN = ("event_id", "user")  # elsewhere blanks around a value are an accident of the export

Objects: TypeAlias = NDArray[np.object_]


class MonitorError(Exception):
    """A failure an operator can cause and mend; its text is one clear line."""


@dataclass(frozen=True)
class Validated:
    """`events` has exactly `EVENT_COLUMNS`; `rejects` has line (int64), reason and record (text, shortened)."""

    events: pd.DataFrame
    rejects: pd.DataFrame


def account_id(user: str) -> uuid.UUID:
    """The account of a user name: 16 bytes of BLAKE2b stamped as UUIDv8 (RFC 9562), equal everywhere, no look-up."""
    digest = bytearray(blake2b(user.encode(), digest_size=16).digest())
    digest[6] = 0x80 | digest[6] & 0x0F
    digest[8] = 0x80 | digest[8] & 0x3F
    return uuid.UUID(bytes=bytes(digest))


def shard(account: uuid.UUID) -> int:
    """The unit of work an account belongs to, 0 to 255."""
    return account.bytes[0]


def reject_frame(lines: Sequence[int], reasons: Sequence[str], records: Sequence[str]) -> pd.DataFrame:
    """Rejected records as a frame; `records` may hold anything and is shortened to what can be stored."""
    return pd.DataFrame(
        {
            "line": np.asarray(lines, dtype=np.int64),
            "reason": pd.array([fields.storable(reason) for reason in reasons], dtype="str"),
            "record": pd.array([fields.storable(record) for record in records], dtype="str"),
        }
    )


def check_source(source: str) -> str:
    """The name of a source: it is part of every event's key."""
    if not source.strip() or not source.isprintable() or len(source.encode()) > MAX_SOURCE:
        raise MonitorError(f"a source's name is 1 to {MAX_SOURCE} printable characters, not {fields.shown(source)}")
    return source


def validate(records: pd.DataFrame, source: str) -> Validated:
    """Turn raw records into events, and name the reason for each that is none.

    `records` has a row a record: text columns of canonical names (absent, NA or blank is unknown), `line` (where it
    stands in the input) and, if possible, `record` (its raw text). A column that is neither makes every record that
    fills it a reject. Of two of these records with one event_id but different content the later is rejected.
    """
    check_source(source)
    problems = _Problems(len(records))
    for name in records.columns.difference([*CANONICAL_COLUMNS, "line", "record"]):
        filled = _encode(records[name]).codes >= 0
        problems.add(filled, fields.unknown_column(str(name)))
    columns = {name: _encode(_column(records, name)) for name in CANONICAL_COLUMNS}
    cleaned: dict[str, pd.Series] = {"occurred_at": _clean_times(columns["occurred_at"], problems)}
    for name, clean_text in fields.TEXT.items():
        cleaned[name] = _clean(name, columns[name], clean_text, "str", problems)
    for name, clean_number in fields.NUMBERS.items():
        cleaned[name] = _clean(name, columns[name], clean_number, "float64", problems)
    for name in ("occurred_at", "user"):
        problems.add(columns[name].codes < 0, f"{name} is missing")
    one_sided = cleaned["latitude"].isna() ^ cleaned["longitude"].isna()
    problems.add(one_sided.to_numpy() & problems.none(), "latitude and longitude come together or not at all")
    events = pd.DataFrame(cleaned)[problems.none()]
    events["outcome"] = events["outcome"].fillna("success")
    events = _identify(events)
    problems.add(_contradictions(events, len(records)), "event_id was used before in this input, for another event")
    events = events[problems.none()[events.index]]
    return Validated(_finish(events, source), problems.frame(records))


@dataclass(frozen=True)
class _Encoded:
    """A column as codes into its distinct texts; an unknown value has code -1, a blank text is empty and unused."""

    codes: NDArray[np.intp]
    texts: list[str]


class _Problems:
    """Why records are rejected; all reasons of a record, in the order found."""

    def __init__(self, size: int) -> None:
        self._reasons: list[str] = [""] * size
        self._clear: NDArray[np.bool_] = np.ones(size, dtype=bool)

    def none(self) -> NDArray[np.bool_]:
        """Which records are without fault so far."""
        return self._clear.copy()

    def add(self, mask: NDArray[np.bool_], reason: str) -> None:
        for row in np.flatnonzero(mask).tolist():
            self._add_one(row, reason)

    def add_values(self, codes: NDArray[np.intp], reasons: dict[int, str]) -> None:
        """Reject the records whose value, as a code, has a reason."""
        if reasons:
            for row in np.flatnonzero(np.isin(codes, list(reasons))).tolist():
                self._add_one(row, reasons[int(codes[row])])

    def _add_one(self, row: int, reason: str) -> None:
        known = self._reasons[row]
        self._reasons[row] = f"{known}; {reason}" if known else reason
        self._clear[row] = False

    def frame(self, records: pd.DataFrame) -> pd.DataFrame:
        rows = np.flatnonzero(~self._clear).tolist()
        bad = records.iloc[rows]
        lines = bad["line"].tolist() if "line" in bad else [row + 1 for row in rows]
        return reject_frame(lines, [self._reasons[row] for row in rows], _raw(bad))


def _raw(records: pd.DataFrame) -> list[str]:
    if "record" in records:
        return [text if isinstance(text, str) else "" for text in records["record"]]
    columns = records.drop(columns="line", errors="ignore")
    rows = columns.astype(object).itertuples(index=False)
    return [", ".join(f"{n}={v}" for n, v in zip(columns, row, strict=True) if not pd.isna(v)) for row in rows]


def _column(records: pd.DataFrame, name: str) -> pd.Series:
    return records[name] if name in records else pd.Series(None, index=records.index, dtype=object)


def _encode(column: pd.Series) -> _Encoded:
    """Distinct texts of a column; blank texts are unknown, what is no text is taken as Python writes it."""
    codes, values = pd.factorize(column.to_numpy(dtype=object, na_value=None))
    texts = list(map(str, values))
    stripped = list(map(str.strip, texts))
    if "" in stripped:
        blank = [number for number, text in enumerate(stripped) if not text]
        codes = np.where(np.isin(codes, blank), -1, codes)
    if column.name in _KEPT_AS_WRITTEN:
        stripped = [text if kept else "" for text, kept in zip(texts, stripped, strict=True)]
    return _Encoded(codes, stripped)


def _clean(
    name: str,
    column: _Encoded,
    cleaner: Callable[[str], str] | Callable[[str], float],
    dtype: str,
    problems: _Problems,
) -> pd.Series:
    """Clean each distinct text once. A rejected or unknown value is NA."""
    values: list[str | float | None] = [None] * (len(column.texts) + 1)  # the last is what code -1 finds
    if name in fields.ANY_TEXT and fields.unremarkable(column.texts):
        values[:-1] = column.texts
    else:
        reasons: dict[int, str] = {}
        for number, text in enumerate(column.texts):
            if text:
                try:
                    fields.refuse_unstorable(text)
                    values[number] = cleaner(text)
                except ValueError as reason:
                    reasons[number] = f"{name} {reason}"
        problems.add_values(column.codes, reasons)
    return pd.Series(pd.array(values, dtype=dtype).take(column.codes % len(values)))


def _clean_times(column: _Encoded, problems: _Problems) -> pd.Series:
    """ISO 8601 times with a zone, as datetime64[us, UTC]: pandas reads the common shapes, Python the rest."""
    times = pd.to_datetime(pd.Series(column.texts, dtype=object), format="ISO8601", utc=True, errors="coerce")
    values = pd.concat([times.dt.as_unit("us"), pd.Series([pd.NaT], dtype="datetime64[us, UTC]")], ignore_index=True)
    inside = ((values >= _EARLIEST) & (values < _LATEST)).tolist()
    reasons: dict[int, str] = {}
    others: dict[int, datetime | None] = {}
    for number, text in enumerate(column.texts):
        match = _ISO_TIME.fullmatch(text)
        if not text or (match and match["zone"] and inside[number]):
            continue
        try:
            others[number] = _one_time(text, match)
        except ValueError as reason:
            others[number] = None
            reasons[number] = f"occurred_at {reason}"
    if others:
        values.iloc[list(others)] = pd.Series(list(others.values()), dtype="datetime64[us, UTC]")
    problems.add_values(column.codes, reasons)
    return pd.Series(values.take(column.codes % len(values)).array)


def _one_time(text: str, match: re.Match[str] | None) -> datetime:
    """A time pandas did not take: in a rarer shape, or one to refuse with the right reason."""
    if not match:
        raise ValueError(f"{fields.shown(text)} is no ISO 8601 time")
    if not match["zone"]:
        raise ValueError(f"{fields.shown(text)} has no time zone")
    try:
        time = datetime.fromisoformat(text.upper().replace(" ", "T", 1).replace(" ", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{fields.shown(text)} is an impossible date or time") from None
    if not _EARLIEST <= time < _LATEST:
        raise ValueError(f"{fields.shown(text)} is before 1990 or after 2099")
    return time


def _content(events: pd.DataFrame) -> list[bytes]:
    """A digest of what each record says, its event_id aside.

    Known fields only, by name: a column added to the canonical ones later does not change the ids of today's records.
    """
    parts: list[Objects] = []
    for name in CANONICAL_COLUMNS[1:]:
        column = events[name].astype("int64") if name == "occurred_at" else events[name]
        codes, values = pd.factorize(column)
        texts = np.array([f"{name}={value}\x1f" for value in values.tolist()] + [""], dtype=object)
        parts.append(texts[codes])
    return [blake2b("".join(row).encode(), digest_size=16).digest() for row in zip(*parts, strict=True)]


def _identify(events: pd.DataFrame) -> pd.DataFrame:
    """Give records without an event_id one derived from their content, so that the same record again is the same."""
    missing = events["event_id"].isna()
    if missing.any():
        derived = [digest.hex() for digest in _content(events[missing])]
        events.loc[missing, "event_id"] = pd.array(derived, dtype="str")
    return events


def _contradictions(events: pd.DataFrame, size: int) -> NDArray[np.bool_]:
    """Which records (of `size`) repeat an event_id that an earlier one gave to something else."""
    mask = np.zeros(size, dtype=bool)
    shared = events[events["event_id"].duplicated(keep=False)]
    if len(shared):
        content = pd.Series(_content(shared), index=shared.index, dtype=object)
        first = content.groupby(shared["event_id"]).transform("first")
        mask[shared.index[content != first]] = True
    return mask


def _finish(events: pd.DataFrame, source: str) -> pd.DataFrame:
    codes, agents = pd.factorize(events["user_agent"])
    families = [fields.browser_and_os(agent) for agent in agents] + [(None, None)]
    for position, name in enumerate(("browser", "os")):
        events[name] = pd.array([family[position] for family in families], dtype="str").take(codes % len(families))
    events["asn"] = events["asn"].astype("Int64")
    events["accuracy_km"] = np.nan
    events["network_kind"] = pd.array([None], dtype="str").repeat(len(events))
    events["source"] = pd.array([source], dtype="str").repeat(len(events))
    return events[EVENT_COLUMNS].reset_index(drop=True)
