"""``monitor audit``."""

import click


@click.command()
@click.option(
    "--anchor", metavar="N:HASH", help="Row and hash printed by an earlier check: tells whether it still holds."
)
def audit(anchor: str | None) -> None:
    """Check the chain of the whole audit log.

    Keep the line it prints elsewhere and give it to --anchor next time: rows cut off at the end leave no other trace.
    """
    from monitor.cli.output import say
    from monitor.cli.session import opened
    from monitor.store import audit
    from monitor.store.engine import reading

    number, kept = _parsed(anchor)
    with opened() as (engine, _), reading(engine) as connection:
        broken, newest = audit.breaks(connection), audit.newest(connection)
        found = audit.hash_of(connection, number) if number is not None else None
    if broken:
        raise click.ClickException(f"the chain of hashes is broken at row {', '.join(map(str, broken[:10]))}")
    if number is not None and found != kept:
        what = "gone" if found is None else "another"
        raise click.ClickException(f"row {number} is {what}: the log was cut off or written anew")
    say("the audit log is empty" if newest is None else f"whole up to row {newest[0]}:{newest[1]}")


def _parsed(anchor: str | None) -> tuple[int | None, str | None]:
    if anchor is None:
        return None, None
    number, _, kept = anchor.partition(":")
    if not number.isdecimal() or not kept:
        raise click.BadParameter("must look like 17:9f86d08…", param_hint="--anchor")
    return int(number), kept
