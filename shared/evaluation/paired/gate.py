"""Whether a run may go out: passed, failed, or too few cases to tell.

A gate that fails what is no worse is soon switched off, so one that fails is sure: the whole
interval is beyond the margin and chance alone would not show it once in a hundred.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from shared.evaluation.kept_run import Figure
from shared.evaluation.paired.case_figures import CaseFigures
from shared.evaluation.paired.clusters import RULE_OF_THREE
from shared.evaluation.paired.difference import PairedDifference, difference
from shared.evaluation.paired.scoring import score_of

_CHANCE: Final = 0.01
_Z_PASS: Final = 1.96
_Z_FAIL: Final = 2.33


class GateVerdict(StrEnum):
    """What a gate says; the worst of its rules is the gate's."""

    PASS = "pass"  # noqa: S105 - to let through
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"


class GateFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says. `more_cases` would decide it, as far as these tell; None where no number
    of them would, or nothing is left to decide."""

    figure: Figure
    verdict: GateVerdict
    why: str
    more_cases: int | None = None


def no_worse(
    figure: Figure,
    before: Mapping[str, CaseFigures],
    after: Mapping[str, CaseFigures],
    *,
    margin: float,
) -> GateFinding:
    """Non-inferiority: the second is worse by no more than the margin."""
    found = difference(figure, before, after)
    if found is None:
        why = "No case that both runs have says anything of it."
        return GateFinding(figure=figure, verdict=GateVerdict.INCONCLUSIVE, why=why)
    told = f"{found.gain.mean:+.3f} [{found.gain.low:+.3f}, {found.gain.high:+.3f}]"
    if found.gain.low >= -margin:
        why = f"{told} is no loss of more than {margin:g}."
        return GateFinding(figure=figure, verdict=GateVerdict.PASS, why=why)
    if found.surely_below < -margin and found.chance <= _CHANCE:
        alone = f"chance alone shows as much in {found.chance:.2%}"
        why = f"{told} is a loss of more than {margin:g}; {alone}."
        return GateFinding(figure=figure, verdict=GateVerdict.FAIL, why=why)
    return GateFinding(
        figure=figure,
        verdict=GateVerdict.INCONCLUSIVE,
        why=f"{told} does not say whether more than {margin:g} is lost.",
        more_cases=_more(found, margin),
    )


def at_least(figure: Figure, cases: Mapping[str, CaseFigures], *, bound: float) -> GateFinding:
    """The figure keeps its bound: it is no lower, or no higher where less is better."""
    score = score_of(figure, cases)
    if score is None:
        why = "No case says anything of it."
        return GateFinding(figure=figure, verdict=GateVerdict.INCONCLUSIVE, why=why)
    told = f"{score.mean:.4g} [{score.low:.4g}, {score.high:.4g}]"
    sign = 1 if figure.more_is_better else -1
    worst, best = sorted((sign * score.low, sign * score.high))
    word = "at least" if figure.more_is_better else "at most"
    if worst >= sign * bound:
        verdict, why = GateVerdict.PASS, f"{told} is {word} {bound:g}."
    elif best < sign * bound:
        verdict, why = GateVerdict.FAIL, f"{told} is not {word} {bound:g}."
    else:
        verdict, why = (
            GateVerdict.INCONCLUSIVE,
            f"{told} does not say whether it is {word} {bound:g}.",
        )
    distance = abs(score.mean - bound)
    half = (score.high - score.low) / 2
    more = _for_width(len(cases), half, distance) if verdict is GateVerdict.INCONCLUSIVE else None
    return GateFinding(figure=figure, verdict=verdict, why=why, more_cases=more)


def worst_of(findings: list[GateFinding]) -> GateVerdict:
    """The gate's verdict."""
    order = list(GateVerdict)
    return max((each.verdict for each in findings), key=order.index)


def _more(found: PairedDifference, margin: float) -> int | None:
    distance = abs(found.gain.mean + margin)
    if not found.spread:
        wanted = RULE_OF_THREE / distance if distance else math.inf
        return (
            None
            if math.isinf(wanted)
            else _beyond(found.cases, wanted * found.cases / found.conversations)
        )
    z = _Z_PASS if found.gain.mean >= -margin else _Z_FAIL
    return _for_width(found.cases, z * found.spread, distance)


def _for_width(cases: int, half: float, distance: float) -> int | None:
    """The width of an interval goes with the root of the number of cases."""
    return _beyond(cases, cases * (half / distance) ** 2) if distance > 0 else None


def _beyond(cases: int, wanted: float) -> int:
    return max(1, math.ceil(wanted) - cases)
