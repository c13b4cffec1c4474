"""Plots of an evaluation as SVG text."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, PercentFormatter
from sklearn.metrics import precision_recall_curve, roc_curve

from monitor.evaluation.labels import Judged
from monitor.evaluation.measures import detection_minutes
from monitor.evaluation.result import Evaluation

_ATTACK, _ORDINARY, _QUIET = "#c2410c", "#1d4ed8", "#94a3b8"
_NEAR_ZERO = 0.02  # the part of the ROC curve that a reviewer could live with
_MOMENT = 0.01  # minutes: what "at once" is drawn as on a logarithmic axis
_TIMES = {_MOMENT: "at once", 1: "1 min", 60: "1 h", 1_440: "1 day", 10_080: "1 week"}

_Draw = Callable[[Axes, Evaluation, Judged], None]


@dataclass(frozen=True)
class Plot:
    title: str
    label: str  # what it shows, for who cannot see it
    svg: str


def plots(evaluation: Evaluation, judged: Judged) -> list[Plot]:
    """All plots; none where there are no attacks or no ordinary logins to compare."""
    if not 0 < judged.attack.sum() < len(judged):
        return []
    return [
        _plot("ROC near zero", "share of attack logins found, for few false alarms", _roc, evaluation, judged),
        _plot("Precision and recall", "precision against recall, over logins", _precision, evaluation, judged),
        _plot("Scores", "distribution of the scores of ordinary logins and of attacks", _scores, evaluation, judged),
        _plot("Time to detection", "share of incidents found, by time since they began", _time, evaluation, judged),
    ]


def _plot(title: str, label: str, draw: _Draw, evaluation: Evaluation, judged: Judged) -> Plot:
    text = io.StringIO()
    # A fixed salt: the same figures give the same file, and ids differ between plots of one page.
    with mpl.rc_context({"svg.hashsalt": title, "svg.fonttype": "none", "axes.grid": True, "grid.alpha": 0.3}):
        figure = Figure(figsize=(5.6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        draw(axes, evaluation, judged)
        axes.set_title(title)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return Plot(title, label, svg[svg.index("<svg") :])


def _roc(axes: Axes, evaluation: Evaluation, judged: Judged) -> None:
    false_alarms, found, _ = roc_curve(judged.attack, judged.score)
    axes.plot(false_alarms, found, color=_ATTACK)
    for row in evaluation.budgets:
        axes.axvline(row.budget, color=_QUIET, linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, _NEAR_ZERO), ylim=(0, 1.02))
    axes.set(xlabel="share of ordinary logins that are false alarms", ylabel="share of attack logins found")
    axes.xaxis.set_major_locator(MultipleLocator(0.005))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))


def _precision(axes: Axes, evaluation: Evaluation, judged: Judged) -> None:
    precision, recall, _ = precision_recall_curve(judged.attack, judged.score)
    axes.step(recall, precision, where="post", color=_ATTACK)
    axes.axhline(float(judged.attack.mean()), color=_QUIET, linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, 1.01), ylim=(0, 1.02))
    axes.set(xlabel="recall (share of attack logins found)", ylabel="precision")


def _scores(axes: Axes, evaluation: Evaluation, judged: Judged) -> None:
    bins = np.histogram_bin_edges(judged.score, bins=60).tolist()
    for name, mask, colour in (("ordinary", ~judged.attack, _ORDINARY), ("attack", judged.attack, _ATTACK)):
        axes.hist(judged.score[mask], bins=bins, color=colour, alpha=0.6, label=f"{name} ({int(mask.sum()):,})")
    for row in evaluation.budgets:
        if row.threshold is not None:
            axes.axvline(row.threshold, color=_QUIET, linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set(xlabel="score", ylabel="logins")
    axes.legend(frameon=False)


def _time(axes: Axes, evaluation: Evaluation, judged: Judged) -> None:
    for row, shade in zip(evaluation.budgets, np.linspace(1.0, 0.35, len(evaluation.budgets)), strict=True):
        minutes = np.sort(detection_minutes(judged, row.threshold))
        found = np.isfinite(minutes)
        share = np.arange(1, found.sum() + 1) / len(minutes)
        later = np.maximum(minutes[found], _MOMENT)
        axes.step(np.append(later, 1e5), np.append(share, share[-1:] if len(share) else 0.0), where="post",
                  color=_ATTACK, alpha=shade, label=f"at {row.budget:.1%}")  # fmt: skip
    axes.set_xscale("log")
    axes.set(xlim=(_MOMENT, 3e4), ylim=(0, 1.02), xlabel="since the first event", ylabel="share of incidents found")
    axes.set_xticks(list(_TIMES), list(_TIMES.values()), minor=False)
    axes.set_xticks([], minor=True)
    axes.legend(frameon=False, loc="lower right")
