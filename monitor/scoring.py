"""From evidence to a calibrated score, with the contribution of every feature.

A ``Scorer`` is all that training fits: the tails that make each feature's evidence comparable, the detector, the
tails that weigh what it finds theme by theme, and the tail that turns the raw sum into the score: −log10 of the share
of ordinary logins at least this odd. 3.0 is one ordinary login in a thousand.
"""

from dataclasses import dataclass

import numpy as np

from monitor.columns import Flags, Floats, Ints
from monitor.detectors import Detector, Progress, Tensors, detector
from monitor.features import theme_of, worth_of
from monitor.sequences import Rows, Windows
from monitor.tails import Tail

#: Share of the training period, its latest part, that is held back for early stopping and calibration.
HELD_BACK = 0.25


#: Between the sum of all themes (1), where many slight oddities outweigh a plain one, and the largest alone (∞).
POWER = 1.5

#: Part of a theme's worth that its strongest feature gets beforehand: one who reads three reasons should read three.
PLAINEST = 0.75


@dataclass(frozen=True)
class Scores:
    """Of ``n`` logins: calibrated ``score`` [n], ``raw`` [n], and ``contribution`` [n, features] adding up to it."""

    score: Floats
    raw: Floats
    contribution: Rows


#: Nats from which extrapolation is no more than a direction: e^-8 is one login in three thousand.
CERTAIN_NATS = 8.0


def tamed(nats: Floats) -> Floats:
    """Nats ≥ 0 that grow only with the logarithm beyond ``CERTAIN_NATS``: odder stays odder, but not absurdly so."""
    nats = np.maximum(nats, 0.0)
    return np.where(nats > CERTAIN_NATS, CERTAIN_NATS * (1 + np.log(np.maximum(nats, 1e-9) / CERTAIN_NATS)), nats)


@dataclass(frozen=True)
class Theme:
    """Features (``members``, their columns) that say much the same: a trip is a new country, city and network at once.

    What the detector finds in them counts as one reason, worth the share of ordinary logins with as much of it, and at
    most all their evidence. It is the root of the sum of squares: the plainest counts, what repeats it adds little.
    """

    name: str
    members: Ints
    tail: Tail

    def weigh(self, found: Rows, nats: Rows) -> Rows:
        """The theme's worth [n, members]: most for its plainest reason, the rest as the detector ``found`` them."""
        evidence = np.nansum(nats[:, self.members], axis=1, dtype=np.float64)
        worth = tamed(np.minimum(self.tail(_together(found[:, self.members])), evidence)) ** POWER
        total = found[:, self.members].sum(axis=1, dtype=np.float64)
        shares = found[:, self.members] / np.maximum(total, 1e-12)[:, None] * (1 - PLAINEST)
        shares[np.arange(len(found)), found[:, self.members].argmax(axis=1)] += PLAINEST
        weighed: Rows = (shares * worth[:, None]).astype(np.float32)
        return weighed


@dataclass(frozen=True)
class Scorer:
    features: tuple[str, ...]
    tails: tuple[Tail, ...]
    detector: Detector
    themes: tuple[Theme, ...]
    calibration: Tail

    @classmethod
    def fit(
        cls,
        features: tuple[str, ...],
        windows: Windows,
        time: Floats,
        held_back_from: float,
        detector_name: str,
        seed: int,
        progress: Progress,
    ) -> "Scorer":
        """Fit to ordinary logins: ``windows`` of raw evidence, and the ``time`` [n] of each latest login.

        Logins from ``held_back_from`` (s) on are held back: the detector never trains on them, stops early by them,
        and the score is calibrated on them. ``ValueError`` when there are none before or none after.
        """
        early, late = np.flatnonzero(time < held_back_from), np.flatnonzero(time >= held_back_from)
        if not len(early) or not len(late):
            raise ValueError("needs logins at different times to learn from")
        strength = windows.rows[windows.last].astype(np.float64)
        tails = tuple(Tail.fit(strength[:, i]) for i in range(len(features)))
        nats = Windows(_nats(features, tails, windows), windows.last)
        fitted = detector(detector_name).fit(nats.take(early), nats.take(late), seed, progress)
        held_back = nats.take(late)
        latest, found = held_back.rows[held_back.last], fitted.contributions(held_back)
        themes = _themes(features, found, ~np.isnan(latest))
        raw = _contributions(themes, found, latest).sum(axis=1, dtype=np.float64)
        return cls(features, tails, fitted, themes, calibrated(raw))

    def score(self, windows: Windows, weights: Floats | None = None) -> Scores:
        """Score the latest login of each window; ``weights`` [features] say how much each contribution counts."""
        nats = Windows(_nats(self.features, self.tails, windows), windows.last)
        contribution = _contributions(self.themes, self.detector.contributions(nats), nats.rows[nats.last])
        if weights is not None:
            contribution = contribution * weights.astype(np.float32)
        raw = contribution.sum(axis=1, dtype=np.float64)
        return Scores(self.calibration(raw) / np.log(10), raw, contribution)

    def dump(self) -> dict[str, np.ndarray]:
        """Everything as named tensors, for safetensors."""
        tensors = {f"detector.{name}": tensor for name, tensor in self.detector.dump().items()}
        tensors |= self.calibration.dump("calibration")
        for name, tail in zip(self.features, self.tails, strict=True):
            tensors |= tail.dump(f"tail.{name}")
        for theme in self.themes:
            tensors |= {f"theme.{theme.name}.members": theme.members} | theme.tail.dump(f"theme.{theme.name}")
        return tensors

    @classmethod
    def load(cls, features: tuple[str, ...], detector_name: str, tensors: Tensors) -> "Scorer":
        own = {name.removeprefix("detector."): array for name, array in tensors.items() if name.startswith("detector.")}
        return cls(
            features,
            tuple(Tail.load(f"tail.{name}", tensors) for name in features),
            detector(detector_name).load(own),
            tuple(
                Theme(name, tensors[f"theme.{name}.members"], Tail.load(f"theme.{name}", tensors))
                for name in sorted(key.split(".")[1] for key in tensors if key.endswith(".members"))
            ),
            Tail.load("calibration", tensors),
        )


def calibrated(raw: Floats) -> Tail:
    """The tail of ordinary logins' raw oddness [n]; beyond them, a nat of evidence counts for one nat at most.

    Oddness adds up powers of nats, so its unit is worth less the further out it is. Else all that differs from a thin
    history that is all alike would score beyond all bounds.
    """
    return Tail.fit(raw, least_scale=POWER * max(float(raw.max()), 1.0) ** (1 - 1 / POWER))


def _themes(features: tuple[str, ...], found: Rows, known: Flags) -> tuple[Theme, ...]:
    """The themes of these features, fitted to what the detector found in ordinary logins where anything was known.

    Logins of which a theme knows nothing would make it look rare that there is any evidence.
    """
    names = np.array([theme_of(feature) for feature in features])
    themes = []
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        together = _together(found[known[:, members].any(axis=1)][:, members])
        themes.append(Theme(str(name), members, Tail.fit(together)))
    return tuple(themes)


def _together(found: Rows) -> Floats:
    """What was found in the features of a theme, on the scale of nats [n]."""
    norm: Floats = np.sqrt(np.square(found, dtype=np.float64).sum(axis=1))
    return norm ** (1 / POWER)


def _contributions(themes: tuple[Theme, ...], found: Rows, nats: Rows) -> Rows:
    """What each feature adds to the raw oddness [n, features]: what was ``found`` in its ``nats``, theme by theme."""
    contribution = np.zeros_like(found)
    for theme in themes:
        contribution[:, theme.members] = theme.weigh(found, nats)
    return contribution


def _nats(features: tuple[str, ...], tails: tuple[Tail, ...], windows: Windows) -> Rows:
    """All rows of the windows in nats."""
    nats = np.empty_like(windows.rows)
    for i, (feature, tail) in enumerate(zip(features, tails, strict=True)):
        strength = windows.rows[:, i].astype(np.float64)
        nats[:, i] = np.minimum(tail(strength), worth_of(feature) * strength)
    return nats
