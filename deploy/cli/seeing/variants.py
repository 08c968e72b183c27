"""`forebay variants`: other settings for a share of the conversations, beside the usual ones."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import say, say_json, say_table
from deploy.cli.seeing.outcomes import Days, shown
from shared.clock import SystemClock
from shared.errors import Conflict, NotFound
from shared.settings.watching.variants import CONTROL

if TYPE_CHECKING:
    from shared.evaluation.paired.gate import GateFinding
    from shared.outcomes.reading import OutcomeFigures
    from shared.persistence.engine import Database
    from shared.settings.watching.variants import VariantSettings

variants = App(name="variants", help="Variants of the settings: list, compare and promote them.")

_CODES: Final = {"pass": 0, "fail": 1, "inconclusive": 3}
_Name = Annotated[str, Parameter(help="Its name in the settings.")]


@variants.command(name="list")
def list_variants(*, as_json: AsJson = False) -> None:
    """Show those of the settings, and what each changes."""
    found = command_settings().variants
    if as_json:
        say_json(found)
        return
    say_table(
        ("name", "share", "model", "chain", "large from", "system prefix"),
        [
            (
                *(name, f"{each.share:.0%}", each.model, ", ".join(each.chain)),
                *(each.large_from, each.system_prefix),
            )
            for name, each in found.items()
        ],
        empty="There are no variants: everything is answered as usual.",
    )


@variants.command
def compare(name: _Name, /, *, days: Days = 7, as_json: AsJson = False) -> None:
    """Show the outcomes of a variant beside those of what was answered as usual."""
    _named(name)
    found = asyncio.run(_figures(days))
    both = {CONTROL: found.get(""), name: found.get(name)}
    if as_json:
        say_json(both)
        return
    say_table(
        ("figure", CONTROL, name),
        [
            ("conversations", *(each.conversations if each else 0 for each in both.values())),
            *(
                (figure, *(_shown(each, figure, form) for each in both.values()))
                for figure, form in _FIGURES.items()
            ),
        ],
        empty="",
    )


@variants.command
def promote(
    name: _Name,
    run: Annotated[str, Parameter(help="A run of an evaluation that was answered under it.")],
    baseline: Annotated[str, Parameter(help="A run of the same set that was answered as usual.")],
    /,
    *,
    margin: Annotated[float, Parameter(validator=Number(gte=0, lt=1))] = 0.05,
    as_json: AsJson = False,
) -> int:
    """Say what to write into the settings, if the variant is no worse: 0, 1 it is, 3 too few cases.

    Parameters
    ----------
    margin
        By how much of task completion it may be worse.
    """
    variant = _named(name)
    finding = asyncio.run(_gated(name, run, baseline, margin))
    lines = _to_write(name, variant)
    if as_json:
        say_json({"variant": name, "finding": finding, "settings": lines})
        return _CODES[finding.verdict]
    say(f"{finding.verdict}: {finding.why}")
    if finding.verdict == "pass":
        say("Write into the settings, and start door and workers anew:")
        say("")
        say("\n".join(lines))
    else:
        say(f"{name} is not promoted.")
    return _CODES[finding.verdict]


_FIGURES: Final = {
    "completion": "{:.1%}",
    "hallucinations": "{:.1%}",
    "satisfaction": "{:.2f}",
    "cost_per_success": "{:.6f}",
}


def _shown(figures: OutcomeFigures | None, name: str, form: str) -> str:
    return "-" if figures is None else shown(getattr(figures, name), form)


def _named(name: str) -> VariantSettings:
    found = command_settings().variants.get(name)
    if found is None:
        raise NotFound(f"The settings have no variant '{name[:48]}'. See: forebay variants list")
    return found


def _to_write(name: str, variant: VariantSettings) -> list[str]:
    """All conversations get it; a threshold alone becomes the usual one."""
    if variant.model is None and variant.system_prefix is None and not variant.chain:
        return [
            "[routing]",
            f"large_from = {variant.large_from}",
            "",
            f"# and no [variants.{name}]",
        ]
    return [f"[variants.{name}]", "share = 1.0"]


async def _figures(days: int) -> dict[str, OutcomeFigures]:
    from shared.outcomes.reading import OutcomeDimension, Outcomes

    today = SystemClock().now().date()
    async with open_ledger(command_settings()) as database:
        first = today - timedelta(days=days - 1)
        found = await Outcomes(database).figures(first, today, by=OutcomeDimension.VARIANT)
    return {each.group: each for each in found}


async def _gated(name: str, run: str, baseline: str, margin: float) -> GateFinding:
    """Raises NotFound, and Conflict for a run that was not answered under it."""
    from shared.evaluation.catalogue import EvaluationCatalogue
    from shared.evaluation.judging.agreement import JudgeAgreements
    from shared.evaluation.kept_run import Figure
    from shared.evaluation.paired.two_runs import read_two_runs

    async with open_ledger(command_settings()) as database:
        runs = await read_two_runs(database, baseline, run)
        catalogue = EvaluationCatalogue(database)
        for each, wanted in ((run, name), (baseline, CONTROL)):
            results = await catalogue.all_results(each)
            ids = [one.response_id for one in results if one.response_id]
            if (under := await _answered_under(database, ids)) != {wanted}:
                told = ", ".join(sorted(under)) or "nothing that is kept"
                raise Conflict(
                    f"The run {each} was answered under {told}, and not under {wanted} alone. "
                    f"Type: forebay eval run SET --variant {wanted}"
                )
        agreements = await JudgeAgreements(database).newest(runs.judges)
        finding = runs.no_worse(Figure.TASK_COMPLETION, margin)
        return runs.as_far_as_judged(finding, agreements)


async def _answered_under(database: Database, ids: list[str]) -> set[str]:
    from sqlalchemy import select

    from shared.persistence.bulk_parameters import IdList
    from shared.persistence.statements import reading
    from shared.persistence.tables import message

    held = IdList(database.relaxed.dialect)
    query = select(message.c.variant).where(held.holds(message.c.id)).distinct()
    async with reading(database.relaxed) as connection:
        found = (await connection.execute(query, held.parameters(ids))).scalars()
        return {each or CONTROL for each in found}
