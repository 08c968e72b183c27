"""`forebay eval run`: a golden set through the real pipeline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings, door_and_key, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import complain, say_json
from shared.errors import InvalidRequest
from shared.settings.watching.variants import CONTROL

if TYPE_CHECKING:
    from deploy.cli.eval.running.plan import RunPlan
    from shared.evaluation.golden.golden_set import GoldenSet
    from shared.evaluation.kept_run import CaseResult, KeptRun


def run(
    set_name: Annotated[str, Parameter(name="set")],
    /,
    *,
    against: str | None = None,
    key: str | None = None,
    version: str | None = None,
    judge: str | None = None,
    collection: str | None = None,
    variant: str | None = None,
    baseline: str | None = None,
    repeats: Annotated[int, Parameter(validator=Number(gte=0, lte=100))] = 0,
    skip_bad_lines: bool = False,
    concurrency: Annotated[int, Parameter(validator=Number(gte=1, lte=1_000))] = 16,
    patience_seconds: Annotated[float, Parameter(validator=Number(gt=0))] = 600.0,
    as_json: AsJson = False,
) -> int:
    """Run a golden set: every case is a message of the batch lane, checked when it is answered.

    Where to: --against and --key, else FOREBAY_URL and FOREBAY_API_KEY, else the stack that
    `forebay up` runs in this folder. The run is kept in the ledger of the settings.
    The exit code is 0 when the run reached its end, whatever it measured.

    Parameters
    ----------
    set_name
        A file of JSON lines, or a set that comes with Forebay: account, grounded, structured
        or tools.
    against
        The door, such as http://127.0.0.1:8080.
    key
        The API key. The environment is the better place for it: `ps` shows this.
    version
        What is evaluated, in your words: a release, a prompt, a model.
    judge
        The model that says what no check can; it is asked through the same door.
    collection
        The id of the collection that stands for $collection in a case.
    variant
        The variant of the settings that all of it is answered under, or control: as usual.
    baseline
        The id of a run before; with --repeats cases that come out another way are asked again.
    repeats
        How often such a case is asked more.
    skip_bad_lines
        Run the rest where lines of the file are wrong; else nothing is run.
    concurrency
        Cases under way at once.
    patience_seconds
        How long one case may take.
    """
    from deploy.cli.eval.running.plan import RunPlan
    from shared.evaluation.golden.golden_set import read_golden_set

    golden, faults = read_golden_set(set_name)
    complain(*map(str, faults))
    if faults and not (skip_bad_lines and golden.cases):
        raise InvalidRequest(
            f"{set_name} has wrong lines: mend them, or give --skip-bad-lines.", param="set"
        )
    if repeats and not baseline:
        raise InvalidRequest("--repeats needs --baseline RUN: what differs is asked again.")
    if collection is None and any(each.needs_collection for each in golden.cases):
        raise InvalidRequest(
            f"{set_name} searches a collection: give its id as --collection. "
            "See: forebay collections list",
            param="collection",
        )
    plan = RunPlan(
        *door_and_key(against, key),
        version=version or _own_version(),
        judge=judge,
        collection_id=collection,
        variant=variant,
        baseline=baseline,
        repeats=repeats,
        concurrency=concurrency,
        patience_seconds=patience_seconds,
    )
    ended, results = asyncio.run(_run(golden, plan))
    if variant is not None and ended.variant != (None if variant == CONTROL else variant):
        complain(f"Not all of it was answered under {variant}: do workers have it?")
    if as_json:
        say_json({"run": ended, "results": results})
    else:
        from deploy.cli.eval.telling import say_run

        say_run(ended, results)
    return 0


async def _run(golden: GoldenSet, plan: RunPlan) -> tuple[KeptRun, list[CaseResult]]:
    from deploy.cli.eval.running.plan import run_planned
    from deploy.cli.step_bar import step_bar

    async with open_ledger(command_settings()) as database:
        with step_bar() as progress:
            return await run_planned(golden, plan, database=database, progress=progress)


def _own_version() -> str:
    from importlib.metadata import version

    return version("forebay")
