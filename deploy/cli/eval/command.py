"""`forebay eval`: figures of quality, measured on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings
from deploy.cli.options import AsJson
from deploy.cli.output import complain, say_json

if TYPE_CHECKING:
    from indexer.evaluation.report import EvaluationReport
    from indexer.evaluation.set_building import EvaluationPlan

_RUNS: Final = Path(".forebay/evaluation")
_FAILED: Final = 1
_PARTING: Final = ","

eval = App(  # noqa: A001 - the verb as it is typed
    name="eval", help="Quality, measured on questions whose answers are known."
)


for _name, _place in (
    ("run", "run:run"),
    ("compare", "comparing:compare"),
    ("gate", "comparing:gate"),
    ("list", "kept_runs:list_runs"),
    ("show", "kept_runs:show"),
    ("agreement", "agreement:agreement"),
    ("online", "online:online"),
    ("from-traffic", "from_traffic:from_traffic"),
):
    eval.command(f"deploy.cli.eval.{_place}", name=_name)


@eval.command
def search(
    *,
    sets: str | None = None,
    limit: Annotated[int, Parameter(validator=Number(gte=0))] = 100,
    checkout: Path | None = None,
    beir: Path | None = None,
    runs: Path = _RUNS,
    fail_under: str | None = None,
    as_json: AsJson = False,
) -> int:
    """Measure the search on what lies on this machine: every leg, ways of fusing them, the default.

    Nothing of your index is read or changed. Half of the questions is for tuning, the other half is
    reported with 95 % intervals. Each run is stored and compared with the last of its kind.

    Parameters
    ----------
    sets
        Some of docstrings, symbols, manual, commits, beir, deleted and renamed, with commas
        between them; all that can be built here if not given.
    limit
        Take so many documents of each set, the same ones each time; 0 takes all, and hours.
    checkout
        A git checkout whose commits are asked for the definitions that they changed.
    beir
        A folder in BEIR's format: corpus.jsonl, queries.jsonl and qrels/test.tsv.
    runs
        The folder where runs are kept.
    fail_under
        METRIC=VALUE, such as ndcg@10=0.5: exit with 1 where the default's is lower on any set.
        Metrics are ndcg@10, mrr, recall@10, recall@100, and absence of deleted and renamed.
    """
    from deploy.cli.eval.showing import say_evaluation
    from indexer.evaluation.set_building import SETS, EvaluationPlan, check_metric, check_names
    from shared.evaluation.floor import Floor

    names = tuple(each.strip() for each in sets.split(_PARTING)) if sets else SETS
    check_names(names)
    floor = Floor.read(fail_under) if fail_under else None
    if floor is not None:
        check_metric(floor.metric, names)
    plan = EvaluationPlan(names, limit, checkout, beir)
    report = asyncio.run(_measure(plan, runs))
    if as_json:
        say_json(report)
    else:
        say_evaluation(report)
    below = report.below(floor) if floor else []
    complain(*below)
    return _FAILED if below else 0


async def _measure(plan: EvaluationPlan, runs: Path) -> EvaluationReport:
    from deploy.cli.step_bar import step_bar
    from indexer.evaluation.search_evaluation import SearchEvaluation
    from shared.clock import SystemClock
    from shared.evaluation.run_folder import RunFolder

    with step_bar() as progress:
        evaluated = SearchEvaluation(command_settings(), RunFolder(runs), SystemClock(), progress)
        return await evaluated.run(plan)
