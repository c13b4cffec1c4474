"""``monitor run``, ``monitor web``."""

import click

from monitor.store.roles import SCORER


@click.command()
def run() -> None:
    """Do all of that on intervals, until SIGTERM.

    Pulls, scores, calibrates, trains and prunes. Several may run: one works, the others wait to take over.
    """
    from monitor import logs
    from monitor.cli.session import opened
    from monitor.health.metrics import RunMetrics, registry
    from monitor.health.pages import scheduler_pages
    from monitor.health.server import listening
    from monitor.scheduler import Scheduler, serve, standard_jobs

    logs.configure()
    with opened(SCORER) as (engine, settings):
        metrics = registry(engine)
        runs = RunMetrics(metrics, leading=lambda: scheduler.leading)
        scheduler = Scheduler(engine, settings, standard_jobs(settings), observe=runs.observe)
        with listening(settings.metrics_address, scheduler_pages(engine, settings, scheduler, metrics)):
            serve(scheduler)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65_535), help="0 chooses a free one.")
@click.option("--processes", default=2, show_default=True, type=click.IntRange(1, 64), help="One for each core.")
def web(host: str, port: int, processes: int) -> None:
    """Serve the review pages, until SIGTERM."""
    from monitor import logs
    from monitor.cli.output import say
    from monitor.config import load_settings
    from web.serve import serve

    logs.configure()
    serve(load_settings(), host, port, processes, lambda address: say(f"review pages on {address}"))
