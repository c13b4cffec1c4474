"""Is the one thing that is odd the thing we name? python -m benchmarks.explanations [--accounts 500 --plants 400]

Ordinary later logins with nothing odd about them (a score below 1, as nine in ten have) get a single planted cause;
its rank in the attribution is compared with plain |z| of the same evidence and with integrated gradients
(Sundararajan et al. 2017, by captum) through the same network. ``flagged`` is the share of plants that score above all
but 0.5 % of ordinary logins; ranks are given of all plants, and of those.
"""

import argparse
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients

from benchmarks.common import report
from benchmarks.plants import KINDS, Planted, plant
from benchmarks.replay import History, in_order, learned
from monitor.columns import Flags, Floats
from monitor.detectors import DEFAULT
from monitor.detectors.reconstruction import Reconstruction
from monitor.detectors.training_loop import inputs
from monitor.features import NAMES
from monitor.judging import WORTH_EXPLAINING, Judged
from monitor.scoring import Scorer
from monitor.sequences import Rows, Windows, windows
from monitor.simulation import POPULATIONS, Simulated, simulate

FALSE_ALARMS = 0.005

#: Steps along the path of integrated gradients.
STEPS = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--population", choices=list(POPULATIONS), default="corporate")
    parser.add_argument("--accounts", type=int, default=500)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--plants", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    simulated = simulate(options.population, options.accounts, options.days, options.seed)
    rows = explained(simulated, options.plants, options.seed)
    figures = [name for name in rows[0] if name.endswith(("first", "three", "flagged"))]
    worst = {f"worst_{name}": min(row[name] for row in rows if row[name] is not None) for name in figures}
    report("explanations", f"{options.population}: where the planted cause stands in the attribution", rows, **worst)


def explained(simulated: Simulated, plants: int, seed: int, detector: str = DEFAULT) -> list[dict[str, Any]]:
    """A row for every kind of cause."""
    history = learned(simulated)
    scorer, _ = history.fit(detector, seed)
    attacks = set(simulated.labels.loc[simulated.labels["is_attack"].astype(bool), "event_id"])
    ordinary = history.later[~history.later["event_id"].isin(attacks)]
    score = in_order(history.judge(scorer, ordinary), _score)
    bar, calm = float(np.quantile(score, 1 - FALSE_ALARMS)), score < WORTH_EXPLAINING
    centre, spread = _ordinary(history)
    rng = np.random.default_rng(seed)
    rows = []
    for kind in KINDS:
        planted = plant(kind, history.events, ordinary, calm, plants, rng)
        judged = history.judge(scorer, planted.events)
        which = planted.events["event_id"].isin(planted.event_ids).to_numpy()
        strength = np.nan_to_num(in_order(judged, lambda part: part.measured.strength[part.within])[which])
        flagged = in_order(judged, _score)[which] >= bar
        by_gradient = gradients(scorer, history, judged, planted, which)
        rows.append(
            {"cause": kind, "plants": int(which.sum()), "flagged": float(flagged.mean())}
            | _ranks("", kind, in_order(judged, _contribution)[which], flagged)
            | _ranks("|z| ", kind, np.abs(strength - centre) / spread)
            | _ranks("IG ", kind, by_gradient)
        )
    return rows


def _score(part: Judged) -> Floats:
    return part.scores.score


def _contribution(part: Judged) -> Rows:
    return part.scores.contribution


def _ranks(prefix: str, kind: str, attribution: Rows | Floats, flagged: Flags | None = None) -> dict[str, float | None]:
    """Share of plants with a right feature first, and among the first three; of those flagged, too, where given."""
    right: Flags = np.isin(
        np.argsort(-attribution, axis=1, kind="stable")[:, :3], [NAMES.index(f) for f in KINDS[kind].features]
    )
    first, three = right[:, 0], right.any(axis=1)
    ranks: dict[str, float | None] = {
        f"{prefix}first": float(first.mean()),
        f"{prefix}first three": float(three.mean()),
    }
    if flagged is not None:
        ranks[f"{prefix}first of flagged"] = float(first[flagged].mean()) if flagged.any() else None
        ranks[f"{prefix}three of flagged"] = float(three[flagged].mean()) if flagged.any() else None
    return ranks


def _ordinary(history: History) -> tuple[Floats, Floats]:
    """Mean and deviation of every feature's evidence over ordinary logins."""
    strength = np.nan_to_num(history.strength[history.drawn]).astype(np.float64)
    return strength.mean(axis=0), np.maximum(strength.std(axis=0), 1e-6)


def gradients(scorer: Scorer, history: History, judged: list[Judged], planted: Planted, which: Flags) -> Floats:
    """Integrated gradients of the latest login's reconstruction error [plants, features]; nought without a network."""
    gathered = np.concatenate([_windows(part) for part in judged])
    rows = np.concatenate([part.rows for part in judged])
    ordered = np.empty_like(gathered)
    ordered[rows] = gathered
    raw = ordered[which]
    if not isinstance(scorer.detector, Reconstruction):
        return np.zeros((len(raw), len(NAMES)))
    length = raw.shape[1]
    nats = np.stack(
        [tail(raw[:, :, i].astype(np.float64).ravel()).reshape(-1, length) for i, tail in enumerate(scorer.tails)],
        axis=2,
    ).astype(np.float32)
    network = scorer.detector.network
    values, padding = inputs(Windows(nats.reshape(-1, nats.shape[2]), np.arange(len(nats)) * length + length - 1))

    def error(window: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        rebuilt: torch.Tensor = network(torch.cat([window, padding], dim=2), length=1)[:, 0]
        return (window[:, -1] - rebuilt).square().sum(dim=1)

    paths = IntegratedGradients(error)
    attributed = paths.attribute(values, additional_forward_args=(padding,), n_steps=STEPS, internal_batch_size=2048)
    latest: Floats = attributed[:, -1].detach().numpy().astype(np.float64)
    return latest


def _windows(part: Judged) -> Rows:
    logins = part.measured.past.logins
    return windows(logins, part.measured.strength, part.measured.past.stored.window).take(part.within).gather()


if __name__ == "__main__":
    main()
