"""Hit rate against false-hit rate, and the threshold that follows from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from workers.caching.semantic.calibration.confidence import hits_needed, upper_bound
from workers.caching.semantic.calibration.judged_pair import JudgedPair

THRESHOLDS: Final = tuple(hundredths / 100 for hundredths in range(60, 100, 2))


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What a cache with one threshold would have done on the pairs."""

    threshold: float
    hits: int
    """Pairs of which the second would have had the first one's answer."""
    wrong: int
    """Hits that were labelled as different."""
    hit_rate: float
    """Right hits by pairs labelled as the same."""
    false_hit_rate: float
    """Wrong hits by all hits; 0 where there are none."""
    upper_bound: float
    """The false-hit rate that is still plausible at 95 % confidence."""


class CalibrationReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole measurement. The curves are of the half that the threshold was not chosen on."""

    pairs: int
    same: int
    bound: float
    guarded: list[Rates]
    unguarded: list[Rates]
    threshold: float | None
    """The lowest that keeps the bound on the half for tuning; None where none does."""
    at_threshold: Rates | None
    """What it does on the other half."""
    is_proven: bool
    """Whether there its upper bound keeps the wanted one."""
    hits_needed: int
    """Hits without a wrong one that prove the wanted bound."""
    refusals: dict[str, int]
    """Pairs of both halves that the guard refuses, by rule."""


def build_report(judged: Sequence[JudgedPair], *, bound: float) -> CalibrationReport:
    """Chooses on one half and reports the other."""
    tune = [each for each in judged if each.pair.is_for_tuning]
    report = [each for each in judged if not each.pair.is_for_tuning]
    chosen = _chosen(tune, bound)
    at_threshold = None if chosen is None else rates(report, chosen, is_guarded=True)
    refusals = Counter(each.refused_by for each in judged if each.refused_by is not None)
    return CalibrationReport(
        pairs=len(judged),
        same=sum(each.pair.same for each in judged),
        bound=bound,
        guarded=[rates(report, threshold, is_guarded=True) for threshold in THRESHOLDS],
        unguarded=[rates(report, threshold, is_guarded=False) for threshold in THRESHOLDS],
        threshold=chosen,
        at_threshold=at_threshold,
        is_proven=at_threshold is not None and at_threshold.upper_bound <= bound,
        hits_needed=hits_needed(bound),
        refusals={str(rule): number for rule, number in refusals.most_common()},
    )


def rates(judged: Iterable[JudgedPair], threshold: float, *, is_guarded: bool) -> Rates:
    """What the threshold does on these pairs, with or without the guard."""
    pairs = list(judged)
    hits = [
        each
        for each in pairs
        if each.similarity >= threshold and not (is_guarded and each.refused_by)
    ]
    wrong = sum(not each.pair.same for each in hits)
    same = sum(each.pair.same for each in pairs)
    return Rates(
        threshold=threshold,
        hits=len(hits),
        wrong=wrong,
        hit_rate=(len(hits) - wrong) / same if same else 0.0,
        false_hit_rate=wrong / len(hits) if hits else 0.0,
        upper_bound=upper_bound(wrong, len(hits)),
    )


def _chosen(tune: Sequence[JudgedPair], bound: float) -> float | None:
    """The lowest threshold that hits anything and keeps the bound on these pairs."""
    for threshold in THRESHOLDS:
        measured = rates(tune, threshold, is_guarded=True)
        if measured.hits and measured.false_hit_rate <= bound:
            return threshold
    return None
