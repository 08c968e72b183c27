"""Shadow calls beside what was recorded: each figure with its difference and interval."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from deploy.cli.replay.live.shadow_run import ShadowEnd, ShadowPair, is_answered
from shared.evaluation.bootstrap import Estimate
from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.judging.pair_judge import PairVerdict
from shared.evaluation.paired.clusters import RULE_OF_THREE, Clusters, ratio_of, widened


class ShadowFigure(msgspec.Struct, frozen=True, kw_only=True):
    """Means over the pairs in which both are known, and their difference with a 95 % interval; the
    difference is None where there are fewer than two conversations."""

    name: str
    unit: str
    pairs: int
    recorded: float | None
    shadow: float | None
    difference: Estimate | None


class ShadowVerdicts(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge said. The win rate counts a tie as half; None where there is no verdict."""

    wins: int
    ties: int
    losses: int
    without_verdict: int
    win_rate: Estimate | None
    why_none: dict[str, int]
    cost: Decimal | None


class ShadowGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The messages that were asked of one model; "" where none was named."""

    model: str
    answered_by: dict[str, int]
    answered_by_then: dict[str, int]
    variants: dict[str, int]
    figures: list[ShadowFigure]
    verdicts: ShadowVerdicts | None


class ShadowReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `spent` takes what is not known as the dearest that is."""

    since: datetime
    until: datetime
    drawn: int
    asked: int
    left_out: dict[str, int]
    not_begun: int
    reached: datetime | None
    end: ShadowEnd
    budget: Decimal
    spent: Decimal
    unknown_costs: int
    models: list[ShadowGroup]


def groups_of(pairs: Sequence[ShadowPair], *, is_judged: bool) -> list[ShadowGroup]:
    """By the model that was asked for, in the order of their names."""
    by_model = defaultdict[str, list[ShadowPair]](list)
    for each in pairs:
        by_model[each.asked_model].append(each)
    return [_group(name, by_model[name], is_judged=is_judged) for name in sorted(by_model)]


def _group(model: str, pairs: list[ShadowPair], *, is_judged: bool) -> ShadowGroup:
    return ShadowGroup(
        model=model,
        answered_by=_counted(each.now.model for each in pairs),
        answered_by_then=_counted(each.then.model for each in pairs),
        variants=_counted(each.now.variant for each in pairs),
        figures=[_figure(*each, pairs) for each in _FIGURES],
        verdicts=_verdicts(pairs) if is_judged else None,
    )


def _figure(
    name: str, unit: str, value: Callable[[AnsweredCase], float | None], pairs: list[ShadowPair]
) -> ShadowFigure:
    known = [
        (each.conversation, then, now)
        for each in pairs
        if (then := value(each.then)) is not None and (now := value(each.now)) is not None
    ]
    if not known:
        nothing = {"recorded": None, "shadow": None, "difference": None}
        return ShadowFigure(name=name, unit=unit, pairs=0, **nothing)
    return ShadowFigure(
        name=name,
        unit=unit,
        pairs=len(known),
        recorded=sum(then for _, then, _ in known) / len(known),
        shadow=sum(now for _, _, now in known) / len(known),
        difference=_difference(known, is_share=unit == "share"),
    )


def _difference(known: list[tuple[str, float, float]], *, is_share: bool) -> Estimate | None:
    clusters = Clusters([conversation for conversation, _, _ in known])
    if clusters.count < _LEAST:
        return None
    gains = [now - then for _, then, now in known]
    found = ratio_of(gains, [1.0] * len(gains), clusters)
    if found is None or not is_share or found.low < found.high:
        return found
    room = RULE_OF_THREE / clusters.count
    return Estimate(found.mean, max(-1.0, found.low - room), min(1.0, found.high + room))


def _verdicts(pairs: list[ShadowPair]) -> ShadowVerdicts:
    judged = [(each.conversation, each.judged) for each in pairs if each.judged is not None]
    given = [(name, each.verdict) for name, each in judged if each.verdict is not None]
    counts = Counter(verdict for _, verdict in given)
    costs = [each.cost for _, each in judged]
    return ShadowVerdicts(
        wins=counts[PairVerdict.WIN],
        ties=counts[PairVerdict.TIE],
        losses=counts[PairVerdict.LOSS],
        without_verdict=len(pairs) - len(given),
        win_rate=_win_rate(given),
        why_none=dict(_why_none(pairs)),
        cost=None if None in costs else sum((each for each in costs if each), Decimal(0)),
    )


def _why_none(pairs: list[ShadowPair]) -> Counter[str]:
    return Counter(
        "There are no two texts to compare." if each.judged is None else each.judged.why
        for each in pairs
        if each.judged is None or each.judged.verdict is None
    )


def _win_rate(given: list[tuple[str, PairVerdict]]) -> Estimate | None:
    if not given:
        return None
    clusters = Clusters([conversation for conversation, _ in given])
    won = ratio_of([_WORTH[verdict] for _, verdict in given], [1.0] * len(given), clusters)
    return None if won is None else widened(won, clusters.count)


def _counted(names: Iterator[str | None]) -> dict[str, int]:
    return dict(Counter(each for each in names if each is not None))


def _answered(of: AnsweredCase) -> float:
    return float(is_answered(of))


def _cost(of: AnsweredCase) -> float | None:
    return None if of.cost is None else float(of.cost)


def _seconds(of: AnsweredCase) -> float | None:
    return of.sight.seconds if is_answered(of) and of.sight else None


def _read(of: AnsweredCase) -> float | None:
    return of.input_tokens if is_answered(of) else None


def _written(of: AnsweredCase) -> float | None:
    return of.output_tokens if is_answered(of) else None


_LEAST: Final = 2
_WORTH: Final = {PairVerdict.WIN: 1.0, PairVerdict.TIE: 0.5, PairVerdict.LOSS: 0.0}
_FIGURES: Final = (
    ("answered", "share", _answered),
    ("cost", "dollars", _cost),
    ("claim to end", "s", _seconds),
    ("tokens read", "tokens", _read),
    ("tokens written", "tokens", _written),
)
