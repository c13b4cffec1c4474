"""One pass over a batch of logins: measure, score, and settle which of them the baselines may learn.

A login that alerts, or follows one that did, must not teach its account's baseline, not even for the next login of
the same batch; yet whether it does depends on what was learned before it. So the batch is first scored as if all were
ordinary; accounts with alerts are measured again without what is to wait, until nothing changes. Every round settles
at least one login more of each such account, and at a fixed point each login has been scored exactly as if logins had
come one by one: how events are cut into batches does not matter.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitor.baselines import Baselines
from monitor.columns import Flags, Floats, Ints, Logins, Objects
from monitor.features import NAMES, Measured, measure, remeasure
from monitor.following import followed
from monitor.population import Population
from monitor.rule import AlertRule, segments
from monitor.scoring import Scorer, Scores
from monitor.sequences import latest, windows

#: Rounds after which the last answer stands. Accounts need about as many as they have separate incidents in a batch;
#: late rounds hold few accounts and cost little. Only one who floods an account with oddities gets here.
MOST_ROUNDS = 100

#: Logins scored below this (the ordinary nine of ten) are stored without words.
WORTH_EXPLAINING = 1.0


@dataclass(frozen=True)
class Judged:
    """The settled accounts of one round: ``rows`` point into the batch; all other columns are of those rows."""

    rows: Ints
    scores: Scores
    history: Floats
    segment: Objects
    threshold: Floats
    alerted: Flags
    follows: Ints  # the login that alerted before, of the same stranger; see ``followed``
    measured: Measured
    within: Ints  # the rows' positions in ``measured``
    settled: Flags  # of the accounts in ``measured``
    after: Baselines

    def words(self, which: Ints) -> "Words":
        """What was observed and what is usual, for the logins at ``which`` (positions in ``rows``)."""
        words = Words.none(len(which))
        named = self.scores.contribution[which] > 0
        for column, name in enumerate(NAMES):
            at = np.flatnonzero(named[:, column])
            evidence, rows = self.measured.evidence[name], self.within[which[at]]
            words.observed[at, column] = evidence.observed(rows)
            words.usual[at, column] = evidence.usual(rows)
            if evidence.new is not None:
                words.new[at, column] = evidence.new[rows]
        return words


@dataclass(frozen=True)
class Judgement:
    """A whole batch, settled: columns [n] in the order of its rows, and the baselines [a] that follow from it."""

    scores: Scores
    history: Floats
    segment: Objects
    threshold: Floats
    alerted: Flags
    follows: Ints
    after: Baselines
    parts: list[Judged]

    @classmethod
    def of(cls, parts: list[Judged]) -> "Judgement":
        """Put together what ``judge`` returned."""
        order = np.argsort(np.concatenate([part.rows for part in parts]))
        account = parts[0].measured.past.logins.account  # the first round holds the whole batch
        return cls(
            Scores(
                np.concatenate([part.scores.score for part in parts])[order],
                np.concatenate([part.scores.raw for part in parts])[order],
                np.concatenate([part.scores.contribution for part in parts])[order],
            ),
            np.concatenate([part.history for part in parts])[order],
            np.concatenate([part.segment for part in parts])[order],
            np.concatenate([part.threshold for part in parts])[order],
            np.concatenate([part.alerted for part in parts])[order],
            np.concatenate([part.follows for part in parts])[order],
            Baselines.joined([(np.unique(account[part.rows]), part.after.of(part.settled)) for part in parts]),
            parts,
        )

    def words(self, which: Ints) -> "Words":
        """What was observed and what is usual, for the logins at ``which`` (rows of the batch)."""
        words = Words.none(len(which))
        place = np.full(len(self.alerted), -1)
        place[which] = np.arange(len(which))
        for part in self.parts:
            here = np.flatnonzero(place[part.rows] >= 0)
            if len(here):
                words.put(place[part.rows[here]], part.words(here))
        return words


@dataclass(frozen=True)
class Words:
    """Texts by login and feature, None where a feature did not matter; ``new`` marks values never seen before."""

    observed: "np.ndarray[tuple[int, ...], np.dtype[np.object_]]"
    usual: "np.ndarray[tuple[int, ...], np.dtype[np.object_]]"
    new: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"

    @classmethod
    def none(cls, logins: int) -> "Words":
        shape = (logins, len(NAMES))
        return cls(np.full(shape, None, object), np.full(shape, None, object), np.zeros(shape, bool))

    def put(self, rows: Ints, words: "Words") -> None:
        """Take over the words of some logins."""
        self.observed[rows], self.usual[rows], self.new[rows] = words.observed, words.usual, words.new


@dataclass(frozen=True)
class Reviewed:
    """What reviewers have yet to say.

    ``waiting`` are earlier logins that alerted and may not be learned yet; others may follow them for
    ``patience_days``.
    """

    waiting: Logins
    patience_days: float

    @classmethod
    def nothing(cls, logins: Logins, patience_days: float = np.inf) -> "Reviewed":
        """No login waits."""
        return cls(logins.of(np.zeros(len(logins.accounts), bool)), patience_days)


def judge(
    logins: Logins,
    stored: Baselines,
    population: Population,
    scorer: Scorer,
    rule: AlertRule,
    half_life_days: float,
    reviewed: Reviewed | None = None,
) -> tuple[list[Judged], Population]:
    """Score a batch; returns the settled parts, which together hold every row once, and the population's changes."""
    measured = measure(logins, stored, population, np.ones(len(logins), bool), half_life_days)
    changes = measured.crowd.after()
    return list(_settle(measured, scorer, rule, reviewed or Reviewed.nothing(logins))), changes


def _settle(measured: Measured, scorer: Scorer, rule: AlertRule, reviewed: Reviewed) -> Iterator[Judged]:
    rows = np.arange(len(measured.history))
    weights = rule.weight(scorer.features)
    assumed = np.ones(len(rows), bool)
    for round_ in range(MOST_ROUNDS):
        logins = measured.past.logins
        made = windows(logins, measured.strength, measured.past.stored.window)
        scores = scorer.score(made, weights)
        segment = segments(measured)
        threshold = rule.thresholds(segment)
        alerted = (scores.score >= threshold) & ~logins.vouched
        follows = np.where(logins.vouched, -1, followed(measured, alerted, reviewed.waiting, reviewed.patience_days))
        held = alerted | (follows >= 0)
        unsettled = logins.accounts_where(logins.learnable & (held == assumed))
        if round_ == MOST_ROUNDS - 1:
            unsettled[:] = False
        again = unsettled[logins.account]
        within = np.flatnonzero(~again)
        yield Judged(
            rows[within],
            Scores(scores.score[within], scores.raw[within], scores.contribution[within]),
            measured.history[within],
            segment[within],
            threshold[within],
            alerted[within],
            _of_batch(follows[within], rows, len(reviewed.waiting)),
            measured,
            within,
            ~unsettled,
            measured.past.after(latest(logins, made)),
        )
        if not unsettled.any():
            return
        assumed, rows = ~held[again], rows[again]
        measured = remeasure(measured, unsettled, assumed)


def _of_batch(follows: Ints, rows: Ints, waiting: int) -> Ints:
    """What logins follow, in rows of the batch rather than of a round, which holds the batch's ``rows``."""
    return np.where(follows >= waiting, rows[np.maximum(follows - waiting, 0)] + waiting, follows)


def learn(logins: Logins, stored: Baselines, population: Population, half_life_days: float) -> Baselines:
    """The baselines once logins that were scored long ago are learned after all; windows stay as they are."""
    everything = np.ones(len(logins), bool)
    measured = measure(logins, stored, population, everything, half_life_days)
    return measured.past.after(stored.window)
