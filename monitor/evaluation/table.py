"""An evaluation on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.evaluation.measures import FIRST_EVENTS
from monitor.evaluation.result import Evaluation, Measure

#: How a missing kind is called: attacks without a scenario, ordinary logins that nothing is special about.
UNNAMED_ATTACK, PLAIN_LOGIN = "(no kind given)", "(plain)"


def tables(evaluation: Evaluation) -> RenderableType:
    """The figures as rich tables, then the notes. Names from the labels are shown as they are, never as markup."""
    parts: list[RenderableType] = [_overview(evaluation), _budgets(evaluation)]
    if evaluation.attacks:
        parts.append(_attacks(evaluation))
    if evaluation.benign:
        parts.append(_benign(evaluation))
    parts += [Text(f"note: {note}") for note in evaluation.notes]
    return Group(*parts)


def shown(measure: Measure, percent: bool = False, digits: int = 3) -> str:
    """``0.912 (0.874-0.951)``, or the reason why there is no figure."""
    if measure.value is None:
        return f"- ({measure.reason})"
    text = _number(measure.value, percent, digits)
    if measure.low is None or measure.high is None:
        return text
    return f"{text} ({_number(measure.low, percent, digits)}-{_number(measure.high, percent, digits)})"


def period(evaluation: Evaluation) -> str:
    """First and last login to the minute, UTC."""
    return " to ".join(moment[:16].replace("T", " ") for moment in (evaluation.begin, evaluation.end) if moment)


def rate(value: float | None) -> str:
    """A share in per cent, or a dash."""
    return "-" if value is None else f"{value:.2%}" if value < 0.1 else f"{value:.1%}"


def _number(value: float, percent: bool, digits: int) -> str:
    return f"{value:.1%}" if percent else f"{value:.{digits}f}"


def _overview(evaluation: Evaluation) -> Table:
    table = Table(title="Detection measured against labels", show_header=False, title_justify="left")
    table.add_column()
    table.add_column()
    table.add_row("period", period(evaluation))
    table.add_row("ordinary logins", f"{evaluation.ordinary_logins:,} of {evaluation.ordinary_accounts:,} accounts")
    table.add_row("attacks", f"{evaluation.attack_events:,} logins in {evaluation.incidents:,} incidents")
    table.add_row("ROC AUC", shown(evaluation.roc_auc, digits=4))
    table.add_row("average precision", shown(evaluation.average_precision))
    table.add_row(f"alerted within {FIRST_EVENTS} events", shown(evaluation.alerted_found, percent=True))
    alerted = evaluation.alerted_false_alarm_rate
    table.add_row("ordinary logins alerted", shown(alerted) if alerted.value is None else f"{alerted.value:.3%}")
    return table


def _budgets(evaluation: Evaluation) -> Table:
    table = Table(title="Incidents found, by false alarms allowed", title_justify="left")
    for title in ("budget", "threshold", "false alarms", f"found in {FIRST_EVENTS} events (95 %)", "found ever"):
        table.add_column(title, justify="right")
    table.add_column("median events", justify="right")
    table.add_column("median minutes", justify="right")
    for row in evaluation.budgets:
        table.add_row(
            f"{row.budget:.1%}",
            "-" if row.threshold is None else f"{row.threshold:.2f}",
            f"{row.false_alarms:,}",
            shown(row.found, percent=True),
            shown(row.found_ever, percent=True),
            shown(row.events_to_detection, digits=0),
            shown(row.minutes_to_detection, digits=1),
        )
    return table


def _attacks(evaluation: Evaluation) -> Table:
    table = Table(title=f"Found within {FIRST_EVENTS} events, by kind of attack", title_justify="left")
    table.add_column("attack")
    table.add_column("incidents", justify="right")
    table.add_column("events", justify="right")
    for row in evaluation.budgets:
        table.add_column(f"at {row.budget:.1%}", justify="right")
    for kind in evaluation.attacks:
        name = Text(kind.scenario or UNNAMED_ATTACK)
        table.add_row(name, f"{kind.incidents:,}", f"{kind.events:,}", *(_whole(found) for found in kind.found))
    return table


def _benign(evaluation: Evaluation) -> Table:
    table = Table(title="False alarms, by kind of ordinary login", title_justify="left")
    table.add_column("ordinary login")
    table.add_column("logins", justify="right")
    for row in evaluation.budgets:
        table.add_column(f"at {row.budget:.1%}", justify="right")
    for kind in evaluation.benign:
        pairs = zip(kind.false_alarms, kind.false_alarm_rate, strict=True)
        cells = ["-" if count is None else f"{count:,} ({rate(share)})" for count, share in pairs]
        table.add_row(Text(kind.scenario or PLAIN_LOGIN), f"{kind.logins:,}", *cells)
    return table


def _whole(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
