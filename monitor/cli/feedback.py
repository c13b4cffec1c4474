"""``monitor calibrate``."""

from datetime import UTC, datetime

import click


@click.command()
def calibrate() -> None:
    """Set the next threshold from verdicts and alert budget."""
    from monitor.cli.output import counted, progress, say
    from monitor.cli.session import opened, recorded
    from monitor.jobs.calibrate import calibrate

    with opened() as (engine, settings), recorded(engine, "calibrate") as record, progress() as tell:
        record.counts = calibrate(engine, settings, datetime.now(UTC), tell)
    say(counted(record.counts))
