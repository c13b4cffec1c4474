"""``monitor run``."""

import click


@click.command()
def run() -> None:
    """Do all of that on intervals, until SIGTERM.

    Pulls, scores, calibrates, trains and prunes. Several may run: one works, the others wait to take over.
    """
    from monitor import logs
    from monitor.cli.session import opened
    from monitor.scheduler import Scheduler, serve, standard_jobs

    logs.configure()
    with opened() as (engine, settings):
        serve(Scheduler(engine, settings, standard_jobs(settings)))
