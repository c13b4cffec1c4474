"""``monitor init``, ``monitor status``, ``monitor sql``."""

import csv
import sys
from datetime import datetime
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

    The views are in schema reporting: login_event, login_score, attribution, alert, alert_event, review, threshold,
    baseline, user_risk, detection_quality, job_run.
    """
    from monitor.cli.output import plain, say, show_table
    from monitor.cli.session import opened
    from monitor.store.reporting import ask

    with opened() as (engine, _), ask(engine, query, timeout) as (columns, rows):
        if as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([plain(value) for value in row] for row in rows)
            return
        show_table(columns, islice(rows, MOST_ROWS))
        if next(iter(rows), None) is not None:
            say(f"only the first {MOST_ROWS:,} rows; --csv prints all")


@click.command()
def status() -> None:
    """Show lag, last runs, model, threshold and alerts."""
    from monitor.cli.output import counted, say, show_table
    from monitor.cli.session import opened
    from monitor.store.engine import reading
    from monitor.store.status import read_status

    with opened() as (engine, _), reading(engine) as connection:
        found = read_status(connection)
    say(f"events      newest {_time(found.newest_event)}, {found.rejected:,} records rejected")
    say(
        f"waiting     {found.waiting:,} events, oldest {_time(found.oldest_waiting)}; {found.quarantined:,} quarantined"
    )
    if found.model is None:
        say("model       none yet; run: monitor train")
    else:
        say(f"model       {found.model.detector}, trained on events before {_time(found.model.trained_until)}")
    if found.threshold is None:
        say("threshold   none yet")
    else:
        threshold = found.threshold
        say(f"threshold   {threshold.value:.2f} since {_time(threshold.decided_at)}: {threshold.basis}")
    say(f"open alerts {': '.join(filter(None, [f'{sum(found.open_alerts.values()):,}', counted(found.open_alerts)]))}")
    say(f"scheduler   {'running' if found.scheduler_runs else 'not running; start it with: monitor run'}")
    if found.oldest_transaction_seconds > 300:
        minutes = found.oldest_transaction_seconds / 60
        say(f"warning     a transaction has been open for {minutes:.0f} minutes and holds back clean-up")
    if found.last_runs:
        show_table(
            ["job", "status", "started", "seconds", "did"],
            [
                (run.job, run.status, _time(run.started_at), run.seconds, run.error or counted(run.counts))
                for run in found.last_runs
            ],
        )


def _time(moment: datetime | None) -> str:
    return "none" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
