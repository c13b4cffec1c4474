"""Rows of the longest tables, joined here: a template takes longer over each cell than all that is done for it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from web.charts import bar
from web.shown import day, feature, moment, percent, plain, short

_NEW = ' <span class="mark">new</span>'
_ODD = ' class="odd-row"'


def install(app: Flask) -> None:
    app.jinja_env.filters.update(
        cells=cells, login_cells=login_cells, reason_rows=reason_rows, score_rows=score_rows, share_rows=share_rows
    )


def cells(record: Mapping[str, object], names: Sequence[str]) -> Markup:
    """Some values of a record, each in a cell of its own."""
    return _cells([plain(record.get(name)) for name in names])


def login_cells(row: Any) -> Markup:
    """A login's cells: what belongs together stands in one, as far as it is known."""
    return _cells(
        [
            escape(row.outcome),
            _together(row.city, row.country),
            _together(row.ip, row.asn, row.network_kind),
            short(row.device_id, 16),
            _together(row.browser, row.os),
            _together(row.application, row.auth_method),
        ]
    )


def reason_rows(attribution: Sequence[Mapping[str, Any]]) -> Markup:
    """What was odd about a login, the strongest first: feature, what happened, what is usual, weight."""
    strongest = max((part["contribution"] for part in attribution), default=1.0)
    return _joined(
        f'<tr><th scope="row">{escape(feature(part["feature"]))}{_NEW if part.get("new") else ""}</th>'
        f'<td data-label="Now:">{plain(part.get("observed"))}</td>'
        f'<td data-label="Usually:">{plain(part.get("usual"), 160)}</td>'
        f'<td class="weight">{bar(part["contribution"] / strongest, True)} {part["contribution"]:.1f}</td></tr>'
        for part in attribution
    )


def score_rows(scored: Iterable[tuple[datetime, float, float, bool]]) -> Markup:
    """Logins with what was odd about them: when, raw, score, whether the alert has it."""
    return _joined(
        f'<tr{_ODD if odd else ""}><td>{moment(at)}</td><td class="number">{raw:.2f}</td>'
        f'<td class="number">{score:.2f}</td></tr>'
        for at, raw, score, odd in scored
    )


def share_rows(rows: Iterable[Any]) -> Markup:
    """The most frequent values of one feature: value, share, when it was seen last."""
    return _joined(
        f'<tr><td>{short(row.value, 32)}</td><td class="weight">{bar(row.share or 0)} {percent(row.share)}</td>'
        f'<td class="muted">{day(row.last_seen_at)}</td></tr>'
        for row in rows
    )


def _together(*values: object) -> Markup:
    return plain(", ".join([str(value) for value in values if value is not None and value != ""]), 60)


def _cells(values: Iterable[Markup]) -> Markup:
    return Markup("<td>" + "</td><td>".join(values) + "</td>")  # noqa: S704


def _joined(rows: Iterable[str]) -> Markup:
    # Each is made above, of numbers and of what is escaped.
    return Markup("".join(rows))  # noqa: S704
