"""``monitor reviewer``: accounts of the review pages."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from monitor.jobs.reviewers import Credentials


@click.group()
def reviewer() -> None:
    """Manage accounts for the review pages."""


@reviewer.command()
@click.argument("name")
@click.option(
    "--role", default="reviewer", show_default=True, type=click.Choice(["viewer", "reviewer", "admin"]),
    help="A viewer reads, a reviewer judges, an admin reads the audit log too.",
)  # fmt: skip
def add(name: str, role: str) -> None:
    """Add an account; prints its one-time password and TOTP secret once."""
    from monitor.cli.session import opened
    from monitor.jobs.reviewers import add_reviewer
    from monitor.vault import Vault

    with opened() as (engine, settings):
        _show(add_reviewer(engine, Vault(settings.key_file), name, role, datetime.now(UTC)))


@reviewer.command()
@click.argument("name")
def password(name: str) -> None:
    """Give a new one-time password and TOTP secret; enables the account again."""
    from monitor.cli.session import opened
    from monitor.jobs.reviewers import reset_reviewer
    from monitor.vault import Vault

    with opened() as (engine, settings):
        _show(reset_reviewer(engine, Vault(settings.key_file), name, datetime.now(UTC)))


@reviewer.command()
@click.argument("name")
def disable(name: str) -> None:
    """Sign an account out and let it in no more."""
    from monitor.cli.output import say
    from monitor.cli.session import opened
    from monitor.jobs.reviewers import disable_reviewer

    with opened() as (engine, _):
        disable_reviewer(engine, name, datetime.now(UTC))
    say(f"{name} is disabled and signed out")


@reviewer.command()
def reseal() -> None:
    """Seal every TOTP secret with the first key of SECRET_KEY_FILE.

    To exchange the key, put a new one on a line before the old one, run this, then take the old line out.
    """
    from monitor.cli.output import say
    from monitor.cli.session import opened
    from monitor.jobs.reviewers import reseal
    from monitor.vault import Vault

    with opened() as (engine, settings):
        count = reseal(engine, Vault(settings.key_file))
    say(f"{count} secrets are sealed with the first key of {settings.key_file}")


@reviewer.command("list")
def list_() -> None:
    """List the accounts."""
    from monitor.cli.output import say, show_table
    from monitor.cli.session import opened
    from monitor.store.engine import reading
    from monitor.store.reviewers import list_reviewers

    with opened() as (engine, _), reading(engine) as connection:
        found = list_reviewers(connection)
    if not found:
        say("no reviewers yet; run: monitor reviewer add NAME")
        return
    rows = [
        (one.name, one.role, "disabled" if one.disabled_at else "one-time password" if one.must_change else "active",
         f"{one.created_at:%Y-%m-%d}")
        for one in found
    ]  # fmt: skip
    show_table(["name", "role", "state", "since"], rows)


def _show(made: "Credentials") -> None:
    from monitor.cli.output import say
    from monitor.credentials import provisioning_uri

    say(f"name               {made.name}")
    say(f"one-time password  {made.password}")
    say(f"TOTP secret        {made.secret}")
    say(f"for a QR code      {provisioning_uri(made.name, made.secret)}")
    say("This is shown once. The password has to be changed at the first sign-in.")
