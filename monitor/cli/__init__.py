"""The command ``monitor``: a line here for each subcommand, which is a function in a file of this package.

Subcommands are imported when named, and import what they need when run: ``monitor --help`` loads no library but click,
and ``monitor web`` no torch.
"""

import sys
from importlib import import_module

import click

#: Subcommand → the function behind it, in the order of the help.
COMMANDS = {
    "init": "monitor.cli.database:init",
    "ingest": "monitor.cli.events:ingest",
    "pull": "monitor.cli.events:pull",
    "train": "monitor.cli.scoring:train",
    "score": "monitor.cli.scoring:score",
    "review": "monitor.cli.feedback:review",
    "calibrate": "monitor.cli.feedback:calibrate",
    "evaluate": "monitor.cli.scoring:evaluate",
    "run": "monitor.cli.serving:run",
    "web": "monitor.cli.serving:web",
    "reviewer": "monitor.cli.reviewers:reviewer",
    "channels": "monitor.cli.channels:channels",
    "status": "monitor.cli.database:status",
    "sql": "monitor.cli.database:sql",
    "audit": "monitor.cli.audit:audit",
    "forget": "monitor.cli.privacy:forget",
    "pseudonym": "monitor.cli.privacy:pseudonym",
    "simulate": "monitor.cli.events:simulate",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when needed, and whose explained failures are one line and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Exception as error:
            line = _explanation(error)
            if line is None:
                raise
            raise click.ClickException(line) from error


def _explanation(error: Exception) -> str | None:
    """What to tell the operator; None when the failure is a fault of the program, to be shown as it is."""
    if "monitor.store.engine" in sys.modules:
        from monitor.store.engine import explain, is_database_failure

        if is_database_failure(error):
            return f"database: {explain(error)}"
    events = sys.modules.get("monitor.events")
    return str(error) if events is not None and isinstance(error, events.MonitorError) else None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="login-anomaly-monitor", prog_name="monitor")
def cli() -> None:
    """Learns how each account logs in, and alerts when a login is unlike it.

    Settings come from MONITOR_* in the environment or from monitor.toml.
    """


def main() -> None:
    """Entry point of the console script."""
    cli(prog_name="monitor")
