"""Labels, and what is wrong with them: what is refused, and what is left out and said to be."""

import pandas as pd
import pytest
from labelled import labels, scores

from monitor.evaluation import EvaluationError, clean_labels, judge


def test_a_label_given_twice_counts_once_and_is_noted() -> None:
    row = ("x", "1", "i", "k")
    cleaned = clean_labels(labels(row, row, ("y", "0", "", "")))
    assert cleaned.frame["event_id"].tolist() == ["x", "y"]
    assert cleaned.notes == ("1 labels were given more than once and count once",)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (labels(("x", "1", "", ""), ("x", "0", "", "")), "1 events have labels that contradict each other: 'x'"),
        (labels(("x", "perhaps", "", "")), "line 2 has an is_attack that is neither 0 nor 1: 'perhaps'"),
        (
            labels(("x", "1", "", ""), (" ", "0", "", ""), ("", "0", "", "")),
            "2 lines (the first is 3) have no event_id",
        ),
        (labels(), "there are no labels: the file has a header and no rows"),
        (labels(("x", "1", "", "")).drop(columns="is_attack"), "the labels have no column is_attack"),
        (pd.DataFrame({"who": ["x"]}), "the labels have no column event_id and no column is_attack"),
    ],
)
def test_labels_that_cannot_be_used_are_refused_in_one_line(records: pd.DataFrame, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        clean_labels(records)
    assert str(caught.value) == message


def test_labels_say_yes_and_no_in_several_ways() -> None:
    words = ["1", "TRUE", " yes ", "0", "false", "No"]
    frame = clean_labels(labels(*[(str(number), word, "", "") for number, word in enumerate(words)])).frame
    assert frame["is_attack"].tolist() == [True, True, True, False, False, False]


def test_labels_of_unknown_and_of_unscored_events_are_told_apart() -> None:
    given = labels(("x", "1", "", ""), ("y", "0", "", ""), ("learnt", "0", "", ""), ("nowhere", "1", "", ""))
    judged = judge(clean_labels(given), scores({"x": 2.0, "y": 1.0}), stored=3)
    assert judged.notes == (
        "1 labels name events that are not stored",
        "1 labelled events have no score in the period (1 of the labels without a score say attack)",
    )
    assert judged.labelled == 4
    assert len(judged) == 2


def test_labels_that_fit_no_score_at_all_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"none of the 2 labelled events can be measured: 2 labels name events"):
        judge(clean_labels(labels(("x", "1", "", ""), ("y", "0", "", ""))), scores({"z": 1.0}), stored=0)


def test_an_event_id_of_several_sources_is_left_out_and_noted() -> None:
    stored = pd.concat([scores({"x": 1.0, "y": 2.0, "z": 0.5}), scores({"x": 3.0}).assign(source="other")])
    judged = judge(clean_labels(labels(("x", "1", "", ""), ("y", "1", "", ""), ("z", "0", "", ""))), stored)
    assert sorted(judged.score.tolist()) == [0.5, 2.0]
    assert judged.notes == ("1 labels fit events of several sources and are left out",)


def test_scores_that_are_no_numbers_are_left_out_and_noted() -> None:
    given = labels(("x", "1", "", ""), ("y", "0", "", ""), ("z", "0", "", ""))
    judged = judge(clean_labels(given), scores({"x": 1.0, "y": float("nan"), "z": float("inf")}))
    assert len(judged) == 1
    assert judged.notes == ("2 scores are no numbers and are left out",)
