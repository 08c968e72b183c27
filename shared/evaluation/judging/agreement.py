"""How far a judge says what people say: without that its verdict is nobody's.

Cohen's kappa is the agreement beyond what two who answer at random, each with its own share of
yes, would have (Cohen, A Coefficient of Agreement for Nominal Scales, 1960).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from sqlalchemy import bindparam, insert, select

from shared.evaluation.tables import judge_agreement
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction

LEAST_TO_GATE: Final = 0.7
"""Kappa, or the share of equal verdicts where there is no kappa."""


class LabelledAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a file of labels: what a person said of an answer."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    input: str
    answer: str
    rubric: Annotated[str, msgspec.Meta(min_length=1)]
    good: bool


class JudgeAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of `judge_agreement`. `agreement` is the share of equal verdicts; `kappa` is
    None where people or the judge said the same of everything."""

    judge: str
    measured_at: datetime
    labels_digest: str
    labels: int
    without_verdict: int
    agreement: float
    kappa: float | None

    @property
    def may_gate(self) -> bool:
        """Whether a gate may rest on its verdicts."""
        return (self.agreement if self.kappa is None else self.kappa) >= LEAST_TO_GATE


def agreement_of(pairs: Sequence[tuple[bool, bool]]) -> tuple[float, float | None]:
    """Of what a person and the judge said of each, the share that is equal, and Cohen's kappa.

    Raises ValueError where there is nothing.
    """
    if not pairs:
        raise ValueError("There is no verdict to compare.")
    count = len(pairs)
    equal = sum(one == other for one, other in pairs) / count
    yes, other_yes = (sum(pair[place] for pair in pairs) / count for place in (0, 1))
    by_chance = yes * other_yes + (1 - yes) * (1 - other_yes)
    if yes in {0.0, 1.0} or other_yes in {0.0, 1.0}:
        return equal, None
    return equal, (equal - by_chance) / (1 - by_chance)


class JudgeAgreements:
    """Everything raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, measured: JudgeAgreement) -> None:
        """One more measurement."""
        async with transaction(self._database.durable) as connection:
            await connection.execute(insert(judge_agreement), msgspec.structs.asdict(measured))

    async def newest(self, judges: Iterable[str]) -> dict[str, JudgeAgreement]:
        """The last that was measured of each; a judge that never was is not there."""
        found: dict[str, JudgeAgreement] = {}
        async with reading(self._database.relaxed) as connection:
            for judge in judges:
                row = (await connection.execute(_NEWEST, {"judge": judge})).first()
                if row is not None:
                    found[judge] = JudgeAgreement(**row._mapping)
        return found


_NEWEST: Final = (
    select(judge_agreement)
    .where(judge_agreement.c.judge == bindparam("judge"))
    .order_by(judge_agreement.c.measured_at.desc())
    .limit(1)
)
