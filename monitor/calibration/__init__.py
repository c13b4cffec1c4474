"""Where the threshold stands: as low as the reviewers' budget allows, as high as their verdicts ask.

A question a module: how much does each feature's evidence count (``weights``), how likely is an alert to be confirmed
(``precision``), how many decisions a day does a threshold cost (``budget``), what is missed below it (``missed``), and
does the score still mean what it says (``drift``)? ``decision`` puts the answers together.
"""

from monitor.calibration.decision import Expected, Threshold, Wishes, decide, first_threshold
from monitor.calibration.drift import Recalibration, recalibration
from monitor.calibration.evidence import Judgements, Recent

__all__ = [
    "Expected",
    "Judgements",
    "Recalibration",
    "Recent",
    "Threshold",
    "Wishes",
    "decide",
    "first_threshold",
    "recalibration",
]
