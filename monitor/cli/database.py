"""``monitor init``, ``monitor status``, ``monitor sql``."""

import csv
import json
import sys
from datetime import UTC, datetime
from itertools import islice

import click

MOST_ROWS = 1_000  # of a table; --csv gives all of them


@click.command()
def init() -> None:
    """Create or upgrade the database; safe to run again."""
    from monitor.cli.output import say
    from monitor.config import load_settings
    from monitor.store.engine import connect
    from monitor.store.schema import upgrade

    settings = load_settings()
    before, after = upgrade(connect(settings))
    where = "the configured database" if settings.database_url else f"the embedded PostgreSQL in {settings.data_dir}"
    what = "already has schema" if before == after else "now has schema"
    say(f"{where} {what} {after}")


@click.command()
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values with a header, all rows.")
@click.option("--timeout", type=click.FloatRange(0.001, 86_400), default=60.0, show_default=True, metavar="SECONDS")
def sql(query: str, as_csv: bool, timeout: float) -> None:
    """Run one QUERY as the read-only reporting role.

    The views are in schema reporting: login_event, login_score, attribution, alert, alert_event, following_event,
    review, threshold, baseline, user_risk, detection_quality, score_distribution, job_run.
    """
    from monitor.cli.output import plain, say, show_table
    from monitor.cli.session import opened
    from monitor.store.reporting import ask

    most = None if as_csv else MOST_ROWS + 1
    with opened() as (engine, _), ask(engine, query, timeout, most) as (columns, rows):
        if as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([plain(value) for value in row] for row in rows)
            return
        show_table(columns, islice(rows, MOST_ROWS))
        if next(iter(rows), None) is not None:
            say(f"only the first {MOST_ROWS:,} rows; --csv prints all")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--check", is_flag=True, help="Exit with 1 when something is not as it should be.")
def status(as_json: bool, check: bool) -> None:
    """Show lag, last runs, model, threshold and alerts."""
    from monitor.cli.health import as_lines, as_object, run_row
    from monitor.cli.output import plain, say, show_table
    from monitor.cli.session import opened
    from monitor.health import problems
    from monitor.store.engine import reading
    from monitor.store.status import read_status

    with opened() as (engine, settings), reading(engine) as connection:
        found = read_status(connection)
    wrong = problems(found, settings, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(as_object(found, wrong), default=plain))
    else:
        for name, text in as_lines(found):
            say(f"{name:<11} {text}")
        for problem in wrong:
            say(f"{'problem':<11} {problem}")
        if found.last_runs:
            rows = [run_row(run) for run in found.last_runs]
            show_table(["job", "status", "started", "seconds", "did"], rows)
    if check and wrong:
        raise SystemExit(1)
