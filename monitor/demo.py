"""``make demo``: the whole pipeline on a simulated organisation, command by command, then what it found.

Everything is kept in a temporary directory; nothing of a real installation is read or touched.
"""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.config import isolated_environment

ACCOUNTS, DAYS, SEED = 250, 45, 7
START, TRAINED_UNTIL = "2026-01-05T00:00:00Z", "2026-02-04T00:00:00Z"

PRINTED_WIDTH = 132  # of the table of alerts where there is no terminal to ask

WORST = """
    SELECT score, severity, user_name, headline, event_count, accounts,
           (SELECT attribution FROM reporting.alert_event v WHERE v.alert_id = t.alert_id ORDER BY v.score DESC LIMIT 1)
    FROM (
        SELECT DISTINCT ON (incident) *, count(*) OVER (PARTITION BY incident) AS accounts
        FROM (SELECT *, coalesce(campaign_id, alert_id) AS incident FROM reporting.alert) AS alert
        ORDER BY incident, score DESC, alert_id
    ) t ORDER BY score DESC, user_name LIMIT 8
"""


@click.command()
@click.option("--no-serve", is_flag=True, help="End after the results instead of serving the review pages.")
def demo(no_serve: bool) -> None:
    """Run every step on a simulated organisation and show what it found."""
    console = Console() if sys.stdout.isatty() else Console(width=PRINTED_WIDTH)
    with tempfile.TemporaryDirectory(prefix="monitor-demo-") as directory:
        home = Path(directory)
        home.chmod(0o755)  # the embedded server may run as another user
        (home / "monitor.toml").touch()
        environment = isolated_environment(data_dir=str(home / "data"), config=str(home / "monitor.toml"))
        for command in _steps(home):
            _run(console, command, environment)
        _show_alerts(console, home)
        _run(console, ["evaluate", "--labels", f"{home}/organisation/labels.csv", "--from", TRAINED_UNTIL], environment)
        if not no_serve:
            _serve(console, environment)


def _steps(home: Path) -> list[list[str]]:
    organisation = f"{home}/organisation"
    size = ["--accounts", str(ACCOUNTS), "--days", str(DAYS), "--seed", str(SEED), "--start", START]
    return [
        ["simulate", "--out", organisation, *size],
        ["init"],
        ["ingest", f"{organisation}/events.csv", "--format", "csv", "--source", "demo"],
        ["train", "--until", TRAINED_UNTIL],
        ["score"],
        ["calibrate"],
        ["status"],
    ]


def _run(console: Console, command: list[str], environment: Mapping[str, str]) -> None:
    console.print(Text(f"\n$ monitor {shlex.join(command)}", style="bold"))
    done = subprocess.run([sys.executable, "-m", "monitor", *command], env=dict(environment))
    if done.returncode != 0:
        raise SystemExit(done.returncode)


def _show_alerts(console: Console, home: Path) -> None:
    """The worst alerts, each with its headline and the strongest parts of its score."""
    from monitor.config import Settings
    from monitor.store.engine import connect
    from monitor.store.reporting import ask

    engine = connect(Settings(data_dir=home / "data", database_url=None))
    with ask(engine, WORST, seconds=60) as (_, found):
        rows = list(found)
    engine.dispose()
    table = Table(title="\nThe worst alerts, and why", title_style="bold", show_lines=True)
    for heading in ("score", "account", "what happened", "observed — usual (part of the score)"):
        table.add_column(heading)
    for score, severity, user_name, headline, events, accounts, attribution in rows:
        reasons = [
            f"{reason['feature']}: {reason['observed']} — {reason['usual']} ({reason['contribution']:.1f})"
            for reason in attribution[:3]
        ]
        size = f"one of {accounts} accounts" if accounts > 1 else f"{events} logins"
        told = f"{headline} ({size})" if max(events, accounts) > 1 else headline
        table.add_row(Text(f"{score:.1f}\n{severity}"), Text(user_name), Text(told), Text("\n".join(reasons)))
    console.print(table)


def _serve(console: Console, environment: Mapping[str, str]) -> None:
    """Serve the review pages until Ctrl-C."""
    _run(console, ["reviewer", "add", "demo", "--role", "admin"], environment)
    console.print("\nThe review pages run until Ctrl-C.", style="bold")
    try:
        _run(console, ["web"], environment)
    except KeyboardInterrupt:
        console.print("Stopped.")


if __name__ == "__main__":
    demo()
