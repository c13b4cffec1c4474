"""A measurement as JSON, as tables and as a page: all figures, and names from the labels as they are."""

import io
import json

import numpy as np
import pytest
from labelled import organisation
from rich.console import Console

from monitor.evaluation import Evaluation, Judged, clean_labels, evaluate, judge
from monitor.evaluation.page import page
from monitor.evaluation.table import tables


@pytest.fixture
def example() -> tuple[Evaluation, Judged]:
    rng = np.random.default_rng(4)
    incidents = {f"a{n}": rng.normal(3, 2, 5).tolist() for n in range(6)}
    given, stored = organisation(rng.normal(0, 1, 400).tolist(), incidents)
    given.loc[given["scenario"] == "trip", "scenario"] = "<script>$x^2$[bold]</script>"
    judged = judge(clean_labels(given), stored)
    return evaluate(judged, resamples=20), judged


def test_json_has_every_figure_and_no_number_that_is_none(example: tuple[Evaluation, Judged]) -> None:
    result = json.loads(example[0].to_json())
    assert {"roc_auc", "average_precision", "budgets", "attacks", "benign", "notes", "incidents"} <= result.keys()
    assert [row["budget"] for row in result["budgets"]] == [0.001, 0.002, 0.005, 0.01]
    assert result["budgets"][0]["found"].keys() == {"value", "low", "high", "reason"}


def test_the_tables_show_names_from_the_labels_as_they_are(example: tuple[Evaluation, Judged]) -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(tables(example[0]))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "<script>$x^2$[bold]</script>" in text
    assert "ROC AUC" in text
    assert "found in 3 events" in text


def test_the_page_needs_nothing_else_and_quotes_what_the_labels_say(example: tuple[Evaluation, Judged]) -> None:
    html = page(*example)
    assert html == page(*example)
    assert html.count("<svg") == 4
    assert "&lt;script&gt;$x^2$[bold]&lt;/script&gt;" in html
    assert "<script" not in html
    assert "<link" not in html
    assert "src=" not in html
    assert "@import" not in html


def test_page_and_tables_work_without_attacks_and_without_ordinary_logins() -> None:
    for ordinary, incidents in (([1.0, 2.0], {}), ([], {"a": [1.0]})):
        given, stored = organisation(ordinary, incidents)
        judged = judge(clean_labels(given), stored)
        result = evaluate(judged)
        assert "<svg" not in page(result, judged)
        console = Console(file=io.StringIO(), width=200)
        console.print(tables(result))
        assert "no attack among" in console.file.getvalue() or "no ordinary login" in console.file.getvalue()  # type: ignore[attr-defined]
