"""What the benchmarks share: a database of their own, and results as a table and as JSON."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from monitor.config import Settings
from monitor.store.engine import connect
from monitor.store.schema import upgrade

RESULTS = Path(__file__).parent / "results"

#: Columns of a table that is read from a file.
WIDTH = 150


@contextmanager
def fresh_database(**settings: Any) -> Iterator[tuple[Engine, Settings]]:
    """An embedded PostgreSQL with the schema and nothing in it, gone afterwards; it runs as it does in production."""
    # The server ends by itself once its directory is gone, and may write a last file while it goes.
    with tempfile.TemporaryDirectory(prefix="monitor-benchmark-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)  # the server may run as another user
        chosen = Settings(data_dir=Path(directory) / "data", **settings)
        engine = connect(chosen)
        upgrade(engine)
        try:
            yield engine, chosen
        finally:
            engine.dispose()


def report(name: str, title: str, rows: list[dict[str, Any]], **facts: Any) -> None:
    """Print the rows as a table, and keep them with the facts in ``results/NAME.json``."""
    table = Table(title=title)
    for column in rows[0]:
        table.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(
            *(f"{cell:,.3g}" if isinstance(cell, float) and abs(cell) < 100 else _text(cell) for cell in row.values())
        )
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(table)
    for fact, value in facts.items():
        console.print(f"{fact.replace('_', ' ')}: {_text(value)}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"rows": rows, **facts}, indent=2, default=str))


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
