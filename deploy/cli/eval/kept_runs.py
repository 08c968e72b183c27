"""`forebay eval list` and `forebay eval show`: runs that were kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import complain, say_json

if TYPE_CHECKING:
    from shared.evaluation.kept_run import CaseResult, KeptRun

RunId = Annotated[str, Parameter(help="Its id, as `forebay eval list` shows it.")]


def list_runs(
    *,
    set_name: Annotated[str | None, Parameter(name="--set")] = None,
    after: str | None = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Show runs of golden sets, the newest first.

    Parameters
    ----------
    set_name
        Only those of this set.
    after
        Go on behind the run of this id.
    """
    runs = asyncio.run(_page(after, limit, set_name))
    if as_json:
        say_json(runs)
        return
    from deploy.cli.eval.telling import say_runs

    say_runs(runs)
    if len(runs) == limit:
        complain(f"There may be more: --after {runs[-1].id}")


def show(run_id: RunId, /, *, as_json: AsJson = False) -> None:
    """Show one run with its figures, and every answer that did not pass."""
    run, results = asyncio.run(_one(run_id))
    if as_json:
        say_json({"run": run, "results": results})
        return
    from deploy.cli.eval.telling import say_run

    say_run(run, results)


async def _page(after: str | None, limit: int, set_name: str | None) -> list[KeptRun]:
    from shared.evaluation.catalogue import EvaluationCatalogue

    async with open_ledger(command_settings()) as database:
        return await EvaluationCatalogue(database).runs(after=after, limit=limit, set_name=set_name)


async def _one(run_id: str) -> tuple[KeptRun, list[CaseResult]]:
    import msgspec

    from shared.evaluation.catalogue import EvaluationCatalogue
    from shared.evaluation.paired.case_figures import figures_of
    from shared.evaluation.paired.scoring import scores_of
    from shared.evaluation.satisfaction import satisfaction_of

    async with open_ledger(command_settings()) as database:
        catalogue = EvaluationCatalogue(database)
        run, results = await catalogue.find(run_id), await catalogue.all_results(run_id)
        said = await satisfaction_of(
            database, [each.response_id for each in results if each.response_id]
        )
    # People speak after a run has ended.
    scores = scores_of(figures_of(results, said)) if results else None
    return msgspec.structs.replace(run, scores=scores), results
