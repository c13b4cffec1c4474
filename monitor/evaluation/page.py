"""An evaluation as one HTML file that needs nothing else: tables, and plots as SVG within the page."""

from collections.abc import Sequence
from html import escape

from monitor.evaluation.labels import Judged
from monitor.evaluation.measures import FIRST_EVENTS
from monitor.evaluation.plots import plots
from monitor.evaluation.result import Evaluation
from monitor.evaluation.table import PLAIN_LOGIN, UNNAMED_ATTACK, period, rate, shown

_STYLE = """
:root { color-scheme: light; } body { font: 16px/1.5 system-ui, sans-serif; color: #0f172a; background: #fff;
max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: right; }
th { font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; flex: 1 1 26rem; } figure svg { width: 100%; height: auto; } .wide { overflow-x: auto; }
"""


def page(evaluation: Evaluation, judged: Judged) -> str:
    """The whole page; plots that need attacks and ordinary logins are left out where one is missing."""
    overview = [
        ("Period", period(evaluation)),
        ("Ordinary logins", f"{evaluation.ordinary_logins:,} of {evaluation.ordinary_accounts:,} accounts"),
        ("Attacks", f"{evaluation.attack_events:,} logins in {evaluation.incidents:,} incidents"),
        ("ROC AUC (95 %)", shown(evaluation.roc_auc, digits=4)),
        ("Average precision (95 %)", shown(evaluation.average_precision)),
        (f"Incidents alerted within {FIRST_EVENTS} events", shown(evaluation.alerted_found, percent=True)),
    ]
    parts = [
        "<h1>Detection measured against labels</h1>",
        _table([], overview),
        f"<h2>Incidents found within {FIRST_EVENTS} events, by false alarms allowed</h2>",
        _budgets(evaluation),
        _plots(evaluation, judged),
        _kinds(evaluation),
    ]
    if evaluation.notes:
        parts.append(f"<h2>Notes</h2><ul>{''.join(f'<li>{escape(note)}</li>' for note in evaluation.notes)}</ul>")
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Detection quality</title><style>{_STYLE}</style>"
    )
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def _table(header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _budgets(evaluation: Evaluation) -> str:
    header = ["Budget", "Threshold", "False alarms", "Found (95 %)", "Found ever", "Median events", "Median minutes"]
    rows = [
        (
            f"{row.budget:.1%}",
            "-" if row.threshold is None else f"{row.threshold:.2f}",
            f"{row.false_alarms:,}",
            shown(row.found, percent=True),
            shown(row.found_ever, percent=True),
            shown(row.events_to_detection, digits=0),
            shown(row.minutes_to_detection, digits=1),
        )
        for row in evaluation.budgets
    ]
    return _table(header, rows)


def _kinds(evaluation: Evaluation) -> str:
    at = [f"at {row.budget:.1%}" for row in evaluation.budgets]
    attacks: list[tuple[str, ...]] = [
        (kind.scenario or UNNAMED_ATTACK, f"{kind.incidents:,}", f"{kind.events:,}", *map(rate, kind.found))
        for kind in evaluation.attacks
    ]
    benign: list[tuple[str, ...]] = [
        (kind.scenario or PLAIN_LOGIN, f"{kind.logins:,}", *map(rate, kind.false_alarm_rate))
        for kind in evaluation.benign
    ]
    return (
        f"<h2>Incidents found, by kind of attack</h2>{_table(['Attack', 'Incidents', 'Events', *at], attacks)}"
        f"<h2>False alarms, by kind of ordinary login</h2>{_table(['Ordinary login', 'Logins', *at], benign)}"
    )


def _plots(evaluation: Evaluation, judged: Judged) -> str:
    drawn = [
        f'<figure role="img" aria-label="{escape(plot.label)}">{plot.svg}</figure>'
        for plot in plots(evaluation, judged)
    ]
    return f'<h2>Plots</h2><div class="plots">{"".join(drawn)}</div>' if drawn else ""
