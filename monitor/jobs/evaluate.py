"""``monitor evaluate``: stored scores measured against a file of labels."""

from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine

from monitor.evaluation import Evaluation, EvaluationError, Judged, Labels, clean_labels, judge
from monitor.evaluation import evaluate as measure
from monitor.store.engine import reading
from monitor.store.evaluation import count_stored, labelled_scores


def evaluate(engine: Engine, labels: Path, since: datetime | None = None, html: Path | None = None) -> Evaluation:
    """Measure every labelled event scored from ``since`` on; write the report to ``html`` where that is given.

    ``labels`` is a CSV file with ``event_id,is_attack[,incident,scenario]``. Raises ``EvaluationError`` if it cannot be
    read or used, or if no labelled event has a score. Reads only.
    """
    judged = _judge(engine, read_labels(labels), since)
    evaluation = measure(judged)
    if html is not None:
        _write(html, evaluation, judged)
    return evaluation


def read_labels(path: Path) -> Labels:
    """The labels of a CSV file; raises ``EvaluationError`` with one line that says what is wrong with it."""
    try:
        records = pd.read_csv(path, dtype="str", keep_default_na=False, index_col=False, encoding="utf-8-sig")
    except OSError as error:
        raise EvaluationError(f"cannot read the labels in {path}: {error.strerror}") from None
    except pd.errors.EmptyDataError:
        raise EvaluationError(f"the labels in {path} are empty") from None
    except (ValueError, UnicodeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise EvaluationError(f"the labels in {path} are no CSV text: {reason}") from None
    return clean_labels(records.rename(columns=str.strip))


def _judge(engine: Engine, labels: Labels, since: datetime | None) -> Judged:
    with reading(engine) as connection:
        scores = labelled_scores(connection, labels.frame["event_id"], since)
        complete = scores["event_id"].nunique() == len(labels.frame)
        stored = len(labels.frame) if complete else count_stored(connection, labels.frame["event_id"])
    return judge(labels, scores, stored)


def _write(path: Path, evaluation: Evaluation, judged: Judged) -> None:
    from monitor.evaluation.page import page  # loads matplotlib, which nothing else needs

    try:
        path.write_text(page(evaluation, judged), encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"cannot write {path}: {error.strerror}") from None
