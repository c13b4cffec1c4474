"""How results and progress look: tables and bars on a terminal, plain lines elsewhere.

Names and values come from attackers, so nothing is printed that a terminal would obey.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from monitor.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_SECONDS = 5.0  # between two lines of progress where there is no terminal
WIDEST_PLAIN = 200  # characters of a table in a file or pipe


def printable(value: object) -> str:
    """A value as one line of text without control, formatting or half characters (ESC, right-to-left marks, ...)."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain(value))


def plain(value: object) -> str:
    """A value as text that reads back: ISO times, JSON for arrays and objects, nothing for NULL."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case list() | dict():
            return json.dumps(value, default=plain, ensure_ascii=False)
        case bytes() | memoryview():
            return bytes(value).hex()
        case _:
            return str(value)


def console() -> "Console":
    """Standard output as rich sees it; wide where it is no terminal, so that nothing is folded in a file."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal else Console(width=WIDEST_PLAIN)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Print rows as a table; numbers to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    kept = [list(row) for row in rows]
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        values = [row[number] for row in kept if row[number] is not None]
        right = bool(values) and all(isinstance(value, int | float) for value in values)
        table.add_column(Text(printable(column)), justify="right" if right else "left", overflow="fold")
    for row in kept:
        table.add_row(*[Text(printable(value)) for value in row])
    console().print(table)


def say(text: str) -> None:
    """Print one line of result."""
    click.echo(printable(text))


def counted(counts: Mapping[str, object]) -> str:
    """Counts in a line: ``read 10,000, stored 9,990``."""
    return ", ".join(
        f"{name.replace('_', ' ')} {f'{value:,}' if isinstance(value, int) else plain(value)}"
        for name, value in counts.items()
    )


@contextmanager
def progress() -> Iterator[Progress]:
    """A function to tell progress to, shown on standard error until the block ends."""
    with _bars() if sys.stderr.isatty() else _lines() as tell:
        yield tell


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def tell(step: str, done: int, total: int | None = None, note: str = "") -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(printable(step), total=total, note="")
            bars.update(tasks[step], completed=done, total=total, note=printable(note))

        yield tell


@contextmanager
def _lines() -> Iterator[Progress]:
    last: dict[str, float] = {}

    def tell(step: str, done: int, total: int | None = None, note: str = "") -> None:
        now = time.monotonic()
        if step in last and done != total and now - last[step] < PLAIN_SECONDS:
            return
        last[step] = now
        of = "" if total is None else f" of {total:,}"
        click.echo(printable(f"{step}: {done:,}{of}{'  ' + note if note else ''}"), err=True)

    yield tell
