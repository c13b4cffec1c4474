"""How long work tells whoever waits: a function that jobs call and that terminals, logs and tests implement."""

from typing import Protocol


class Progress(Protocol):
    """Called as work advances: ``done`` of ``total`` (None: unknown) in ``step``, with a ``note`` such as the losses.

    ``done`` never falls within a step; a step ends when ``done`` reaches ``total`` or the next step begins.
    """

    def __call__(self, step: str, done: int, total: int | None = None, note: str = "") -> None: ...


def silent(step: str, done: int, total: int | None = None, note: str = "") -> None:
    """The progress of nobody waiting."""
