"""Labels, and scores beside them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monitor.events import MonitorError

_YES, _NO = {"1", "true", "yes", "t", "y", "1.0"}, {"0", "false", "no", "f", "n", "0.0"}
_COLUMNS = ("event_id", "is_attack", "incident", "scenario")
_SHOWN = 3  # examples in a message


class EvaluationError(MonitorError):
    """The labels cannot be used; the message says why in one line."""


@dataclass(frozen=True)
class Labels:
    """``frame``: event_id, is_attack (bool), incident and scenario (empty where none), one row an event."""

    frame: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """Scored and labelled logins as columns, in order of time; what was left out is in ``notes``.

    ``incident`` numbers the incidents from 0 (-1: an ordinary login), ``account`` numbers the accounts. ``minute``
    counts from the first of the logins. ``scenario`` is the kind of attack or of ordinary login (empty: plain).
    """

    score: NDArray[np.float64]
    attack: NDArray[np.bool_]
    incident: NDArray[np.int64]
    account: NDArray[np.int64]
    minute: NDArray[np.float64]
    scenario: NDArray[np.object_]
    alerted: NDArray[np.bool_]
    begin: pd.Timestamp | None
    end: pd.Timestamp | None
    labelled: int
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.score)


def clean_labels(records: pd.DataFrame) -> Labels:
    """Check labels as text columns ``event_id, is_attack[, incident, scenario]``; other columns are ignored.

    A label given twice counts once; two labels that contradict each other raise ``EvaluationError``, as does a missing
    column, an empty ``event_id`` or an ``is_attack`` that is neither 0 nor 1.
    """
    missing = [name for name in _COLUMNS[:2] if name not in records.columns]
    if missing:
        raise EvaluationError(f"the labels have no column {' and no column '.join(missing)}")
    if records.empty:
        raise EvaluationError("there are no labels: the file has a header and no rows")
    absent = pd.Series("", index=records.index)
    frame = pd.DataFrame({name: records.get(name, absent).fillna("").astype("str") for name in _COLUMNS})
    for name in _COLUMNS[1:]:
        frame[name] = frame[name].str.strip()
    nameless = frame["event_id"].str.strip() == ""
    if nameless.any():
        raise EvaluationError(f"{_lines(nameless)} no event_id")
    frame["is_attack"] = _truth(frame["is_attack"])
    notes = []
    repeats = int(frame.duplicated().sum())
    frame = frame.drop_duplicates(ignore_index=True)
    if repeats:
        notes.append(f"{repeats:,} labels were given more than once and count once")
    twice = frame.loc[frame["event_id"].duplicated(), "event_id"].unique()
    if len(twice):
        raise EvaluationError(f"{len(twice):,} events have labels that contradict each other: {_examples(twice)}")
    return Labels(frame, tuple(notes))


def judge(labels: Labels, scores: pd.DataFrame, stored: int | None = None) -> Judged:
    """Put scores (event_id, source, user_name, occurred_at, score, alerted) beside the labels.

    ``stored``: how many labelled events are stored at all, where known; it tells events that are unknown from events
    that have no score yet. Raises ``EvaluationError`` if no labelled event has a score.
    """
    notes = list(labels.notes)
    usable = scores[np.isfinite(scores["score"])]
    ambiguous = usable["event_id"].duplicated(keep=False)
    joined = usable[~ambiguous].merge(labels.frame, on="event_id", how="inner", validate="one_to_one")
    _note_missing(labels.frame, scores, stored, notes)
    several = len(_matching(labels.frame, usable.loc[ambiguous, "event_id"]))
    if several:
        notes.append(f"{several:,} labels fit events of several sources and are left out")
    if len(usable) < len(scores):
        notes.append(f"{len(scores) - len(usable):,} scores are no numbers and are left out")
    if joined.empty:
        raise EvaluationError(f"none of the {len(labels.frame):,} labelled events can be measured: {'; '.join(notes)}")
    joined = joined.sort_values(["occurred_at", "event_id"], kind="stable", ignore_index=True)
    return _columns(joined, len(labels.frame), tuple(notes))


def _columns(joined: pd.DataFrame, labelled: int, notes: tuple[str, ...]) -> Judged:
    attack = joined["is_attack"].to_numpy(bool)
    # An attack without an incident belongs with the other such attacks on its account.
    own = ("account " + joined["user_name"]).where(joined["incident"] == "", "incident " + joined["incident"])
    incident = np.full(len(joined), -1, np.int64)
    incident[attack] = pd.factorize(own[attack])[0]
    times = joined["occurred_at"]
    return Judged(
        score=joined["score"].to_numpy(np.float64),
        attack=attack,
        incident=incident,
        account=pd.factorize(joined["user_name"])[0].astype(np.int64),
        minute=((times - times.iloc[0]).dt.total_seconds() / 60).to_numpy(np.float64),
        scenario=joined["scenario"].to_numpy(object),
        alerted=joined["alerted"].to_numpy(bool),
        begin=times.iloc[0],
        end=times.iloc[-1],
        labelled=labelled,
        notes=notes,
    )


def _note_missing(labels: pd.DataFrame, scores: pd.DataFrame, stored: int | None, notes: list[str]) -> None:
    scored = _matching(labels, scores["event_id"])
    without = len(labels) - len(scored)
    unknown = 0 if stored is None else len(labels) - stored
    if unknown:
        notes.append(f"{unknown:,} labels name events that are not stored")
    if without > unknown:
        attacks = int(labels["is_attack"].sum() - scored["is_attack"].sum())
        notes.append(
            f"{without - unknown:,} labelled events have no score in the period"
            f" ({attacks:,} of the labels without a score say attack)"
        )


def _matching(labels: pd.DataFrame, event_ids: pd.Series) -> pd.DataFrame:
    """The labels of some of these events."""
    return labels.merge(event_ids.drop_duplicates(), on="event_id", how="inner")


def _truth(column: pd.Series) -> pd.Series:
    words = column.str.lower()
    strange = ~words.isin(_YES | _NO)
    if strange.any():
        values = _examples(column[strange].unique())
        raise EvaluationError(f"{_lines(strange)} an is_attack that is neither 0 nor 1: {values}")
    return words.isin(_YES)


def _lines(wrong: pd.Series) -> str:
    count = int(wrong.sum())
    first = int(np.flatnonzero(wrong)[0]) + 2  # the header is line 1
    return f"line {first} has" if count == 1 else f"{count:,} lines (the first is {first}) have"


def _examples(values: NDArray[np.object_]) -> str:
    texts = [repr(str(value)[:60]) for value in values[:_SHOWN]]
    return ", ".join(texts) + (", …" if len(values) > _SHOWN else "")
