"""Two runs of one set with all their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from shared.errors import Conflict
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.judging.agreement import LEAST_TO_GATE, JudgeAgreement
from shared.evaluation.kept_run import CaseResult, Figure, KeptRun
from shared.evaluation.paired.case_figures import CaseFigures, figures_of
from shared.evaluation.paired.difference import PairedDifference, difference
from shared.evaluation.paired.gate import GateFinding, GateVerdict, at_least, no_worse
from shared.evaluation.satisfaction import satisfaction_of
from shared.evaluation.tables import RunState
from shared.persistence.engine import Database


class TwoRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of both together."""

    before: KeptRun
    after: KeptRun
    judges: frozenset[str]
    """Digests of the judges that a result of either rests on."""
    figures_before: dict[str, CaseFigures]
    figures_after: dict[str, CaseFigures]

    def refuse_unfinished(self) -> None:
        """Raises Conflict where one of them has not reached its end: what is missing may be what
        fails."""
        for each in (self.before, self.after):
            if each.state is not RunState.COMPLETED:
                raise Conflict(f"{each.id} is {each.state}: no gate rests on a part of a set.")

    def difference(self, figure: Figure) -> PairedDifference | None:
        """By how much the second is better."""
        return difference(figure, self.figures_before, self.figures_after)

    def no_worse(self, figure: Figure, margin: float) -> GateFinding:
        """Whether the second is worse by no more than the margin."""
        return no_worse(figure, self.figures_before, self.figures_after, margin=margin)

    def at_least(self, figure: Figure, bound: float) -> GateFinding:
        """Whether the second keeps the bound."""
        return at_least(figure, self.figures_after, bound=bound)

    def as_far_as_judged(
        self, finding: GateFinding, agreements: Mapping[str, JudgeAgreement]
    ) -> GateFinding:
        """The same, or inconclusive where it rests on a judge that people do not agree with."""
        doubted = [each for each in self.judges if not _is_trusted(agreements.get(each))]
        if not doubted:
            return finding
        why = (
            f"{finding.why} But it rests on a judge whose agreement with people is not known to be "
            f"{LEAST_TO_GATE:g}: measure it with `forebay eval agreement`."
        )
        return GateFinding(figure=finding.figure, verdict=GateVerdict.INCONCLUSIVE, why=why)


async def read_two_runs(database: Database, before: str, after: str) -> TwoRuns:
    """With what people have said of their answers by now.

    Raises NotFound, Conflict for runs of different cases, and LedgerUnavailable."""
    catalogue = EvaluationCatalogue(database)
    one, two = await catalogue.find(before), await catalogue.find(after)
    refuse_other_cases(one, two.set_name, two.set_digest)
    results = [await catalogue.all_results(each.id) for each in (one, two)]
    said = await satisfaction_of(
        database, [each.response_id for run in results for each in run if each.response_id]
    )
    return TwoRuns(
        before=one,
        after=two,
        judges=frozenset(_judges([*results[0], *results[1]])),
        figures_before=figures_of(results[0], said),
        figures_after=figures_of(results[1], said),
    )


def refuse_other_cases(run: KeptRun, set_name: str, set_digest: str) -> None:
    """Raises Conflict where a run is of another set, or of this one as it was before a change: a
    case of the same id may ask something else then."""
    if run.set_name != set_name:
        raise Conflict(
            f"{run.id} is of the set {run.set_name}, not of {set_name}: compare runs of one set."
        )
    if run.set_digest != set_digest:
        raise Conflict(
            f"{set_name} has changed since {run.id}: run that version on the set as it is now."
        )


def _judges(results: Sequence[CaseResult]) -> set[str]:
    return {check.judge for each in results for check in each.checks if check.judge}


def _is_trusted(measured: JudgeAgreement | None) -> bool:
    return measured is not None and measured.may_gate
