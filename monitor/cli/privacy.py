"""``monitor forget``, ``monitor pseudonym``."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click


@click.command()
@click.argument("user")
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and erase nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as one JSON object.")
def forget(user: str, dry_run: bool, as_json: bool) -> None:
    """Erase everything about USER, and keep a receipt."""
    from monitor.cli.output import counted, plain, say
    from monitor.cli.session import opened
    from monitor.jobs.forget import forget

    with opened() as (engine, settings):
        receipt = forget(engine, user, datetime.now(UTC), key=settings.pseudonym_key(), rehearse=dry_run)
    if as_json:
        click.echo(json.dumps(asdict(receipt) | {"dry_run": dry_run}, default=plain))
        return
    for moment in receipt.before:
        say(f"forgotten before, at {moment:%Y-%m-%d %H:%M:%S} UTC")
    say(f"{'would erase' if dry_run else 'erased'}  {counted(receipt.counts) or 'nothing: nothing was left'}")
    if receipt.kept:
        say(f"kept, though they name the person  {counted(receipt.kept)}")
    if not dry_run:
        at = f"{receipt.forgotten_at:%Y-%m-%d %H:%M:%S} UTC"
        say(f"receipt {receipt.erasure_id}, at {at}; hash of the name {receipt.account_id}")
        say("Backups made before still hold the person; so does the model, as numbers, until the next training.")


@click.command()
@click.argument("value", metavar="USER|ADDRESS")
def pseudonym(value: str) -> None:
    """Show the pseudonym of a user or an address."""
    from monitor import fields, pseudonyms
    from monitor.cli.output import say
    from monitor.config import load_settings

    key = load_settings().pseudonym_key()
    if key is None:
        raise click.ClickException("names are stored as they are: MONITOR_PSEUDONYM_KEY_FILE is not set")
    try:
        found = pseudonyms.address(key, fields.ip(value))
    except ValueError:
        try:
            found = pseudonyms.user(key, pseudonyms.as_written(value))
        except ValueError as reason:
            raise click.ClickException(f"the name {reason}") from None
    say(found)
