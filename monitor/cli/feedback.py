"""``monitor review``, ``monitor calibrate``."""

from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.store.roles import SCORER, WEB

MOST_PROBLEMS = 100  # lines of a file that are explained one by one


@click.command()
@click.argument("alert_id", required=False)
@click.argument("verdict", required=False, type=click.Choice(["confirm", "dismiss", "undo"]))
@click.option("--by", metavar="NAME", help="Who gives the verdict.")
@click.option("--reason", metavar="WORD", help="Why, in a word: compromised, travel, new_device, vpn, ...")
@click.option("--note", metavar="TEXT", help="Why, in your words.")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take verdicts from a CSV with columns alert_id,verdict,reviewer,note.",
)
def review(
    alert_id: str | None, verdict: str | None, by: str | None, reason: str | None, note: str | None, path: Path | None
) -> None:
    """Confirm or dismiss an alert, or undo the last verdict."""
    from monitor.cli.session import opened
    from monitor.jobs.review import review

    if path is not None:
        if any(given is not None for given in (alert_id, verdict, by, reason, note)):
            raise click.UsageError("--file takes everything from the file")
        _review_file(path)
        return
    if alert_id is None or verdict is None or by is None:
        raise click.UsageError("give ALERT_ID, confirm or dismiss, and --by NAME; or --file CSV")
    with opened(WEB) as (engine, _):
        taken = review(engine, alert_id, verdict, by, note, datetime.now(UTC), reason)
    from monitor.cli.output import say

    say(f"alert {alert_id}: {verdict} by {by}" + ("" if taken else ", as it was already"))


def _review_file(path: Path) -> None:
    from monitor.cli.output import printable, say
    from monitor.cli.session import opened
    from monitor.jobs.review import review_file

    with opened(WEB) as (engine, _):
        report = review_file(engine, path, datetime.now(UTC))
    for line, why in report.problems[:MOST_PROBLEMS]:
        click.echo(printable(f"line {line}: {why}"), err=True)
    if len(report.problems) > MOST_PROBLEMS:
        click.echo(f"and {len(report.problems) - MOST_PROBLEMS:,} lines more", err=True)
    say(f"read {report.read:,}, taken {report.taken:,}, repeated {report.repeated:,}, refused {len(report.problems):,}")


@click.command()
@click.option(
    "--dry-run", is_flag=True, help="Change nothing; say what would be decided, and which verdicts would flip."
)
@click.option("--rollback", "threshold_id", type=int, metavar="ID", help="Return to an earlier threshold, for a week.")
@click.option("--by", default="command line", show_default=True, metavar="NAME", help="Who returns to it.")
def calibrate(dry_run: bool, threshold_id: int | None, by: str) -> None:
    """Set the next threshold from verdicts and alert budget."""
    from monitor.cli.output import counted, progress, say
    from monitor.cli.session import opened, recorded
    from monitor.jobs.calibrate import answer, calibrate, propose
    from monitor.jobs.rollback import HOLD, roll_back

    if dry_run and threshold_id is not None:
        raise click.UsageError("--rollback changes the threshold and --dry-run changes nothing: give one of them")
    if threshold_id is not None:
        with opened(WEB) as (engine, _):
            made = roll_back(engine, threshold_id, by)
        say(f"threshold {made} returns to {threshold_id}; the scheduled calibration leaves it for {HOLD.days} days")
        return
    if dry_run:
        with opened(SCORER) as (engine, settings):
            proposal = propose(engine, settings, datetime.now(UTC))
        say(counted(answer(proposal)))
        for line in proposal.told():
            say(line)
        return
    with opened(SCORER) as (engine, settings), recorded(engine, "calibrate") as record, progress() as tell:
        record.counts = calibrate(engine, settings, datetime.now(UTC), tell)
    say(counted(record.counts))
