"""``monitor channels``: where alerts are told."""

from datetime import UTC, datetime

import click


@click.group()
def channels() -> None:
    """Show, try and mend the channels that alerts are told through."""


@channels.command("list")
def list_() -> None:
    """List the channels, and how their notices fare."""
    from monitor.cli.output import say, show_table
    from monitor.cli.session import opened
    from monitor.store.deliveries import summary
    from monitor.store.engine import reading
    from monitor.store.roles import SCORER

    with opened(SCORER) as (engine, settings), reading(engine) as connection:
        found = summary(connection)
    kinds = {channel.name: channel.kind for channel in settings.channels}
    if not kinds and not found:
        say("no channels yet; name one in monitor.toml under [[channels]]")
        return
    rows = []
    for name in [*kinds, *(name for name in found if name not in kinds)]:
        row = found.get(name)
        counts = (row.pending, row.dead, row.delivered) if row else (0, 0, 0)
        latest = f"{row.delivered_at:%Y-%m-%d %H:%M:%S} UTC" if row and row.delivered_at else "never"
        rows.append((name, kinds.get(name, "no longer configured"), *counts, latest, row.error if row else None))
    show_table(["channel", "kind", "pending", "dead", "delivered", "latest", "why the latest failed"], rows)


@channels.command()
@click.argument("name")
def test(name: str) -> None:
    """Send a test notice through the channel NAME, now, and say whether it arrived."""
    from monitor.channels.sender import Sender
    from monitor.cli.output import say
    from monitor.config import load_settings
    from monitor.jobs.notify import SendError, find, test_notice

    channel = find(load_settings(), name)
    with Sender(channel) as sender:
        failure = sender.send(test_notice(datetime.now(UTC)))
    if failure is not None:
        raise SendError(f"channel '{name}': {failure.reason}")
    say(f"a test arrived through {name}")


@channels.command()
@click.argument("name", required=False)
def send(name: str | None) -> None:
    """Tell what is due now, through the channel NAME or through all; monitor run does this by itself."""
    from monitor.cli.output import counted, say
    from monitor.cli.session import opened, recorded
    from monitor.jobs import notify
    from monitor.store.roles import SCORER

    with opened(SCORER) as (engine, settings):
        for channel in [name] if name else [channel.name for channel in settings.channels]:
            with recorded(engine, f"notify {channel}") as record:
                record.counts = notify.run(engine, settings, datetime.now(UTC), channel)
            say(f"{channel}: {counted(record.counts)}")


@channels.command()
@click.argument("name", required=False)
def retry(name: str | None) -> None:
    """Let dead notices be tried again: those of the channel NAME, or all."""
    from monitor.cli.output import say
    from monitor.cli.session import opened
    from monitor.store.deliveries import revive
    from monitor.store.engine import writing
    from monitor.store.roles import SCORER

    with opened(SCORER) as (engine, _), writing(engine) as connection:
        count = revive(connection, name, datetime.now(UTC))
    say(f"{count:,} {'notice' if count == 1 else 'notices'} will be tried again")
