"""`forebay eval agreement`: how far a judge says what people say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cli.connection import command_settings, door_and_key, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import complain, counted, say, say_json
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.evaluation.judging.agreement import JudgeAgreement, LabelledAnswer


def agreement(
    labels: Path,
    /,
    *,
    judge: str,
    against: str | None = None,
    key: str | None = None,
    as_json: AsJson = False,
) -> int:
    """Ask a judge what people have said of the same answers, and keep how far it agrees.

    Prints the share of equal verdicts and Cohen's kappa, for each rubric. The exit code is 1 where
    one is under .7: a gate does not rest on that judge.

    Parameters
    ----------
    labels
        JSONL: each line has id, input, answer, rubric, and good, which is true or false.
    judge
        The model that is asked.
    against
        The door, such as http://127.0.0.1:8080.
    key
        The API key. The environment is the better place for it: `ps` shows this.
    """
    from deploy.cli.eval.running.labels import read_labels

    read = read_labels(labels)
    complain(*map(str, read.faults))
    if read.faults or not read.read:
        raise InvalidRequest(f"{labels} has wrong lines, or none: mend them.", param="labels")
    measured = asyncio.run(_measure(read.read, judge, door_and_key(against, key)))
    if as_json:
        say_json(list(measured.values()))
    else:
        for rubric, each in measured.items():
            _say(rubric, each)
    return 0 if all(each.may_gate for each in measured.values()) else 1


def _say(rubric: str, of: JudgeAgreement) -> None:
    kappa = "none, for one of both always says the same" if of.kappa is None else f"{of.kappa:.3f}"
    say(f"“{rubric}”")
    say(
        f"  {counted(of.labels, 'label')}, {of.without_verdict} without a verdict; equal "
        f"{of.agreement:.3f}, Cohen's kappa {kappa}: "
        f"{'a gate may rest on it' if of.may_gate else 'no gate rests on it'}."
    )


async def _measure(
    labels: tuple[LabelledAnswer, ...], judge: str, door: tuple[str, str]
) -> dict[str, JudgeAgreement]:
    from deploy.cli.eval.running.labels import measure_agreement
    from deploy.cli.step_bar import step_bar

    async with open_ledger(command_settings()) as database:
        with step_bar() as progress:
            return await measure_agreement(
                labels, judge, door=door, database=database, progress=progress
            )
