"""Labels and scores of a few logins, and what is measured with them."""

import numpy as np
import pandas as pd

from monitor.evaluation import Evaluation, clean_labels, evaluate, judge

START = pd.Timestamp("2025-03-01T08:00:00Z")


def labels(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["event_id", "is_attack", "incident", "scenario"], dtype="str")


def scores(values: dict[str, float], users: dict[str, str] | None = None, alerted: float = 5.0) -> pd.DataFrame:
    """One login a minute in the order given; user ``ann`` unless said otherwise."""
    ids = list(values)
    return pd.DataFrame(
        {
            "event_id": ids,
            "source": "test",
            "user_name": [(users or {}).get(event, "ann") for event in ids],
            "occurred_at": START + pd.to_timedelta(np.arange(len(ids)), unit="min"),
            "score": list(values.values()),
            "alerted": [value >= alerted for value in values.values()],
        }
    )


def measured(
    given: pd.DataFrame, stored: pd.DataFrame, budgets: tuple[float, ...] = (0.25,), **options: int
) -> Evaluation:
    return evaluate(judge(clean_labels(given), stored), budgets, **options)


def organisation(ordinary: list[float], incidents: dict[str, list[float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels and scores: ordinary logins of ten accounts, then the incidents' events one after the other."""
    rows, values, users = [], {}, {}
    for number, score in enumerate(ordinary):
        rows.append((f"o{number}", "0", "", "trip" if number % 2 else ""))
        values[f"o{number}"], users[f"o{number}"] = score, f"user{number % 10}"
    for incident, events in incidents.items():
        for number, score in enumerate(events):
            rows.append((f"{incident}-{number}", "1", incident, f"kind-{incident[0]}"))
            values[f"{incident}-{number}"], users[f"{incident}-{number}"] = score, f"victim-{incident}"
    return labels(*rows), scores(values, users)
