"""What a detector is trained on, and whether it is good enough to replace the one at work."""

from dataclasses import dataclass, field

import numpy as np

from monitor.columns import LENGTH, Floats, Ints
from monitor.features import Measured
from monitor.scoring import Scorer
from monitor.sequences import Rows, Windows, windows

#: Quality is read where one ordinary login in a hundred would alert.
FALSE_ALARMS = 0.01

#: A new model may be worse by chance: by twice the standard error of the difference, but at least this.
LEAST_TOLERANCE = 0.01


@dataclass
class Examples:
    """Windows drawn from a replay of history, with the ``time`` of each latest login."""

    _gathered: list[Rows] = field(default_factory=list)
    _time: list[Floats] = field(default_factory=list)

    def draw(self, measured: Measured, which: Ints) -> None:
        """Add the windows of the logins at ``which``."""
        logins = measured.past.logins
        made = windows(logins, measured.strength, measured.past.stored.window)
        self._gathered.append(made.take(which).gather())
        self._time.append(logins.time[which])

    def __len__(self) -> int:
        return sum(len(part) for part in self._time)

    @property
    def windows(self) -> Windows:
        rows = np.concatenate(self._gathered)
        return Windows(rows.reshape(-1, rows.shape[2]), np.arange(len(rows)) * LENGTH + LENGTH - 1)

    @property
    def time(self) -> Floats:
        return np.concatenate(self._time)


def quality(scorer: Scorer, ordinary: Examples, impostors: Examples, since: float) -> float | None:
    """Share of impostors noticed when one in a hundred ordinary logins would alert; None without enough of either.

    Both are taken from the held-back part, later than ``since`` (s), on which no detector was trained.
    """
    if not len(ordinary) or not len(impostors):
        return None
    parts = []
    for examples in (ordinary, impostors):
        late = np.flatnonzero(examples.time >= since)
        if len(late) < 1 / FALSE_ALARMS:
            return None
        parts.append(scorer.score(examples.windows.take(late)).score)
    return float((parts[1] > np.quantile(parts[0], 1 - FALSE_ALARMS)).mean())


def no_worse(new: float | None, old: float | None, impostors: int) -> bool:
    """Whether a model of quality ``new`` may replace one of quality ``old``, both measured on the same logins."""
    if new is None or old is None:
        return True
    error = np.sqrt(2 * max(old * (1 - old), 1e-4) / max(impostors, 1))
    return new >= old - max(2 * float(error), LEAST_TOLERANCE)
