"""Structured logging on standard error: lines for people on a terminal, JSON objects elsewhere."""

import logging
import sys

import structlog


def configure() -> None:
    """Send the program's own events, and the libraries' warnings, through one formatter."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # without the values of local variables, which may be secrets
    ]
    renderer: structlog.types.Processor
    if sys.stderr.isatty():
        shared.append(_printable)
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("monitor").setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns whenever a run outlasts its interval


def _printable(logger: object, method: str, entry: structlog.types.EventDict) -> structlog.types.EventDict:
    """Texts that a terminal would not obey: what attackers typed may be in an error."""
    for name, value in entry.items():
        if isinstance(value, str):
            entry[name] = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in value)
    return entry
