"""`forebay cache calibrate`: which threshold of the semantic cache serves no wrong answers."""

from __future__ import annotations

import asyncio
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings
from deploy.cli.options import AsJson
from deploy.cli.output import say, say_json, say_table

if TYPE_CHECKING:
    from workers.caching.semantic.calibration.judged_pair import JudgedPair
    from workers.caching.semantic.calibration.labelled_pair import LabelledPair
    from workers.caching.semantic.calibration.report import CalibrationReport

_HEADINGS = ("threshold", "hits", "wrong", "hit rate", "false hits", "at most", "false, no guard")


def calibrate(
    *,
    file: Path | None = None,
    bound: Annotated[float | None, Parameter(validator=Number(gt=0, lt=1))] = None,
    as_json: AsJson = False,
) -> None:
    """Measure hit rate against false-hit rate on labelled pairs and choose a threshold.

    It is chosen on one half of the pairs and judged on the other.

    Parameters
    ----------
    file
        JSONL, one object a line: {"first": "…", "second": "…", "same": true}. Without it the
        pairs that come with Forebay, half of which are traps: harder than usual traffic.
    bound
        The largest share of wrong answers among hits; caching.semantic.false_hit_bound if not
        given.
    """
    from workers.caching.semantic.calibration.report import build_report

    wanted = bound or command_settings().caching.semantic.false_hit_bound
    report = build_report(asyncio.run(_judge(_read(file))), bound=wanted)
    if as_json:
        say_json(report)
    else:
        _say_report(report)


def _read(file: Path | None) -> list[LabelledPair]:
    from workers.caching.semantic.calibration.labelled_pair import read_pairs

    if file is not None:
        return read_pairs(file)
    with as_file(files(__package__).joinpath("labelled_pairs.jsonl")) as ours:
        return read_pairs(ours)


async def _judge(pairs: list[LabelledPair]) -> list[JudgedPair]:
    from rich.console import Console
    from rich.progress import Progress

    from shared.embeddings.onnx import OnnxEncoder
    from workers.caching.semantic.calibration.judged_pair import judge_pairs

    encoder, judged = OnnxEncoder(), []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Measuring", total=len(pairs))
        try:
            async for each in judge_pairs(encoder, pairs):
                judged.append(each)
                progress.advance(bar)
        finally:
            await encoder.close()
    return judged


def _say_report(report: CalibrationReport) -> None:
    say(
        f"{report.pairs} pairs, {report.same} of them the same question; "
        "the table is of the half on which nothing was chosen.\n"
    )
    rows = [
        (
            f"{with_guard.threshold:.2f}",
            with_guard.hits,
            with_guard.wrong,
            f"{with_guard.hit_rate:.1%}",
            f"{with_guard.false_hit_rate:.1%}",
            f"{with_guard.upper_bound:.1%}",
            f"{without.false_hit_rate:.1%}",
        )
        for with_guard, without in zip(report.guarded, report.unguarded, strict=True)
    ]
    say_table(_HEADINGS, rows, empty="")
    refusals = ", ".join(f"{rule} {number}" for rule, number in report.refusals.items())
    say(f"Refused by the guard, by the first rule that did: {refusals or 'none'}.")
    say(_verdict(report))


def _verdict(report: CalibrationReport) -> str:
    wanted = f"{report.bound:.1%}"
    found = report.at_threshold
    if found is None:
        return (
            f"No threshold keeps false hits at {wanted} on the half for choosing. Leave "
            "caching.semantic.enabled off, or allow more with --bound."
        )
    measured = (
        f"{found.wrong} wrong of {found.hits} hits, at most {found.upper_bound:.1%} at 95 % "
        "confidence"
    )
    if report.is_proven:
        return (
            f"Threshold {found.threshold:.2f}: {measured}, which proves {wanted}. Set "
            f"caching.semantic.threshold = {found.threshold:.2f}."
        )
    return (
        f"Threshold {found.threshold:.2f} is the lowest that kept {wanted} on the half for "
        f"choosing. On the other half: {measured}, which does not prove {wanted}. That takes "
        f"{report.hits_needed} hits without a wrong one there: label more pairs of your own "
        "traffic, or allow more with --bound."
    )
