"""``monitor train``, ``monitor score``, ``monitor evaluate``."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.cli.parameters import Moment, Registered
from monitor.store.roles import SCORER


def _detectors() -> Iterable[str]:
    from monitor.detectors import REGISTRY

    return REGISTRY


@click.command()
@click.option("--until", type=Moment(), metavar="TIME", help="Learn from events before this moment.  [default: now]")
@click.option("--detector", type=Registered("name", _detectors), help="Overrides the setting.")
def train(until: datetime | None, detector: str | None) -> None:
    """Learn what is usual, and fit a detector.

    Builds baselines from every event before TIME and trains on them; scoring then starts at TIME.
    """
    from monitor.cli.output import counted, progress, say
    from monitor.cli.session import opened, recorded
    from monitor.jobs.train import train

    with opened(SCORER) as (engine, settings), recorded(engine, "train") as record, progress() as tell:
        record.counts = train(engine, settings, until or datetime.now(UTC), detector or settings.detector, tell)
    say(counted(record.counts))


@click.command()
@click.option("--until", type=Moment(), metavar="TIME", help="Score events before this moment.  [default: all]")
def score(until: datetime | None) -> None:
    """Score what is not scored yet, and open alerts."""
    from monitor.cli.output import counted, progress, say
    from monitor.cli.session import opened, recorded
    from monitor.jobs.score import score

    with opened(SCORER) as (engine, settings), recorded(engine, "score") as record, progress() as tell:
        record.counts = score(engine, settings, datetime.now(UTC), until, tell)
    say(counted(record.counts))


@click.command()
@click.option("--labels", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="CSV")
@click.option("--from", "since", type=Moment(), metavar="TIME", help="Measure events from this moment on.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with charts here.")
def evaluate(labels: Path, since: datetime | None, as_json: bool, html: Path | None) -> None:
    """Measure stored scores against labels.

    The labels are a CSV file with the columns event_id,is_attack[,incident,scenario].
    """
    from monitor.cli.output import console
    from monitor.cli.session import opened
    from monitor.evaluation.table import tables
    from monitor.jobs.evaluate import evaluate

    with opened(SCORER) as (engine, _):
        evaluation = evaluate(engine, labels, since, html)
    if as_json:
        click.echo(evaluation.to_json())
    else:
        console().print(tables(evaluation))
