"""``monitor ingest``, ``monitor pull``, ``monitor simulate``."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.parameters import Moment, Registered, Zone
from monitor.store.roles import INGEST

if TYPE_CHECKING:
    from monitor.jobs.ingest import IngestReport

MOST_KINDS = 20  # of skipped records that are named


def _formats() -> Iterable[str]:
    from monitor.sources import REGISTRY

    return REGISTRY


def _populations() -> Iterable[str]:
    from monitor.simulation import POPULATIONS

    return POPULATIONS


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--format",
    "format_",
    required=True,
    type=Registered("format", _formats),
    help="csv, jsonl, sshd, okta, entra, keycloak or another.",
)
@click.option("--source", required=True, metavar="NAME", help="Where the events come from; unique with their event_id.")
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Write rejected records and reasons here."
)
@click.option(
    "--year", type=click.IntRange(1990, 2099), help="Year of the first stamp, for logs whose stamps have none."
)
@click.option("--zone", type=Zone(), metavar="NAME", help="IANA time zone of stamps that name none.  [default: UTC]")
def ingest(
    paths: tuple[str, ...], format_: str, source: str, rejects: Path | None, year: int | None, zone: tzinfo | None
) -> None:
    """Load login events from files (- is standard input).

    csv and jsonl demand a zone in each stamp unless --zone is given. Exits with 1 if every record was rejected.
    """
    from monitor.cli.output import counted, progress, say
    from monitor.cli.session import opened
    from monitor.enrichment import enricher
    from monitor.jobs.ingest import IngestReport, ingest
    from monitor.sources import Options

    with opened(INGEST) as (engine, settings), progress() as tell:

        def told(position: int, report: IngestReport) -> None:
            if report.read:
                tell("records", report.read, note=f"{report.rejected:,} rejected")

        report = ingest(
            engine, paths, format_, source,
            now=datetime.now(UTC), options=Options(year, zone), rejects=rejects, progress=told,
            enrich=enricher(settings.geo_city_db, settings.geo_asn_db, settings.network_lists),
            key=settings.pseudonym_key(),
        )  # fmt: skip
    counts = {name: getattr(report, name) for name in ("read", "stored", "duplicate", "rejected")}
    say(counted(counts))
    _explain(report)
    if report.skipped and not report.read:
        say(f"there are no logins in it; is --format {format_} right?")
    if report.useless:
        raise click.ClickException(f"none of the {report.read:,} records could be used; is --format {format_} right?")


def _explain(report: "IngestReport") -> None:
    """Say what is not stored, or not all of it, and why."""
    from monitor.cli.output import counted, say

    if report.skipped:
        named = report.skipped.most_common(MOST_KINDS)
        say(f"skipped, being no logins: {', '.join(f'{kind} {count:,}' for kind, count in named)}")
        if others := len(report.skipped) - len(named):
            rest = report.skipped.total() - sum(count for _, count in named)
            say(f"  and {rest:,} of {others:,} other kinds")
    if report.unclear:
        say(f"left unknown, as their values cannot be read: {counted(report.unclear)}")
    if report.ahead:
        say(f"{report.ahead:,} are of the future, by their clock: they are scored once their time has come")
    for reason, count in report.reasons.most_common(5):
        say(f"  rejected {count:,}: {reason}")


@click.command()
def pull() -> None:
    """Pull what is new from every configured source."""
    from monitor.cli.output import counted, say
    from monitor.cli.session import opened, recorded
    from monitor.jobs import pull

    with opened(INGEST) as (engine, settings):
        if not settings.sources:
            say("no sources are configured; add [[sources]] with name, kind and url to monitor.toml")
            return
        with recorded(engine, "pull") as record:
            record.counts = pull.run(engine, settings, datetime.now(UTC))
    say(counted(record.counts))


@click.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Directory to write into.")
@click.option("--population", default="corporate", show_default=True, type=Registered("name", _populations))
@click.option("--accounts", default=1_000, show_default=True, type=click.IntRange(20, 1_000_000))
@click.option("--days", default=60, show_default=True, type=click.IntRange(7, 3_660))
@click.option("--seed", default=7, show_default=True, type=click.IntRange(0))
@click.option("--start", type=Moment(), help="First day.  [default: 2025-09-01T00:00:00Z]")
@click.option("--attacks", "per_kind", type=click.IntRange(0), help="Incidents of each kind.  [default: by accounts]")
def simulate(
    out: Path, population: str, accounts: int, days: int, seed: int, start: datetime | None, per_kind: int | None
) -> None:
    """Write a simulated organisation with attacks.

    Writes events.csv, and labels.csv for monitor evaluate.
    """
    from monitor.cli.output import say
    from monitor.simulation import DEFAULT_START, simulate, write

    try:
        simulated = simulate(population, accounts, days, seed, start or DEFAULT_START, per_kind)
        events, labels = write(simulated, out)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot write to {out}: {error.strerror}") from None
    attacks = int(simulated.labels["is_attack"].sum())
    say(f"{events}: {len(simulated.events):,} events; {labels}: {attacks:,} of them in attacks")
