"""Scores of logins, written in columns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from monitor.judging import Judgement
from monitor.store.copy import arrow, copy_in
from monitor.store.unscored import key_columns

#: Serialises everything that scores or learns: a pass reads the baselines that the one before has written.
_LOCK = "hashtextextended('monitor.score', 0)"


def lock_scoring(connection: Connection, *, wait: bool) -> bool:
    """Be the only one to score or learn until this transaction ends; without ``wait``, False if somebody else is."""
    if wait:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        return True
    return bool(connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({_LOCK})")))


@dataclass(frozen=True)
class Texts:
    """Texts [k, features] for the logins at ``rows`` of a batch."""

    rows: "np.ndarray"
    observed: "np.ndarray"
    usual: "np.ndarray"


def add_scores(
    connection: Connection,
    events: pd.DataFrame,
    judged: Judgement,
    texts: Texts,
    *,
    threshold_id: int,
    model_id: UUID,
    scored_at: datetime,
) -> None:
    """Store the scores of ``events`` [n]; ``ValueError`` when one of them has a score already."""
    scores = judged.scores
    count, features = scores.contribution.shape
    at = pa.scalar(scored_at, pa.timestamp("us", "UTC"))
    columns: dict[str, Any] = key_columns(events) | {
        "outcome": arrow(events["outcome"], pa.string()),
        "score": pa.array(scores.score.astype(np.float32)),
        "raw": pa.array(scores.raw.astype(np.float32)),
        "threshold": pa.array(judged.threshold.astype(np.float32)),
        "alerted": pa.array(judged.alerted),
        "model_id": pa.array([model_id.bytes], pa.binary(16)).take(pa.array(np.zeros(count, np.int64))),
        "scored_at": pa.array([at]).take(pa.array(np.zeros(count, np.int64))),
        "contribution": _lists(pa.array(scores.contribution.ravel()), np.full(count, features)),
        "observed": _texts(texts.observed, texts.rows, count),
        "usual": _texts(texts.usual, texts.rows, count),
        "threshold_id": pa.array(np.full(count, threshold_id)),
        "segment": pa.array(judged.segment, pa.string()),
    }
    try:
        copy_in(connection, f"monitor.login_score ({', '.join(columns)})", pa.RecordBatch.from_pydict(columns))
    except IntegrityError as error:
        raise ValueError("the login has a score already") from error


def _lists(values: pa.Array, lengths: "np.ndarray", missing: "np.ndarray | None" = None) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    mask = None if missing is None else pa.array(missing)
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=mask)


def _texts(texts: "np.ndarray", rows: "np.ndarray", count: int) -> pa.Array:
    """One list of texts per login at ``rows``, NULL for the others."""
    lengths = np.zeros(count, np.int64)
    lengths[rows] = texts.shape[1]
    values = pa.array(texts[np.argsort(rows)].ravel(), pa.string())
    return _lists(values, lengths, lengths == 0)
