"""`forebay eval from-traffic`: a golden set cut out of what was really asked."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import counted, say, say_json
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.eval.cutting.choosing import TrafficCondition
    from shared.evaluation.golden.case import GoldenCase

_RUBRIC = "The answer is correct, answers the whole question and is polite."


def from_traffic(
    out: Path,
    /,
    *,
    tenant: str,
    where: str,
    redact: bool = False,
    as_it_is: bool = False,
    rubric: str = _RUBRIC,
    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=50_000))] = 200,
    as_json: AsJson = False,
) -> None:
    """Cut a golden set out of a tenant's messages, the newest first.

    What was not to be stored and what was erased is left out. A file is beyond an erasure: keep
    it no longer than the messages. Each case is held to its facts and schema, and by a judge to
    the rubric; write better checks into it where you know the right answer.

    Parameters
    ----------
    out
        The file to write; it must not be there yet.
    tenant
        Name of the tenant, as `forebay tenants list` shows it.
    where
        feedback=bad, feedback=good, or state=STATE, such as requires_action or failed.
    redact
        Take out keys, cards, social security numbers, e-mail addresses and your own patterns.
        Names of people are not found: read it before you pass it on.
    as_it_is
        Keep every word instead.
    rubric
        What a judge holds the answers to.
    limit
        At most so many cases.
    """
    from deploy.cli.eval.cutting.choosing import TrafficCondition

    if redact is as_it_is:
        raise InvalidRequest("Say --redact, or --as-it-is to keep every word: one of them.")
    condition = TrafficCondition.read(where)
    if out.exists():
        raise InvalidRequest(f"{out} is there already. Name another file.", param="out")
    cutting = _cut(tenant, condition, rubric=rubric, redact=redact, limit=limit)
    cases, left_out = asyncio.run(cutting)
    _write(out, cases)
    if as_json:
        say_json({"out": str(out), "cases": len(cases), "left_out": left_out})
        return
    say(f"{counted(len(cases), 'case')} written to {out}.")
    for why, count in left_out.items():
        say(f"{counted(count, 'message')} left out: they {why}.")


async def _cut(
    tenant: str, where: TrafficCondition, *, rubric: str, redact: bool, limit: int
) -> tuple[list[GoldenCase], dict[str, int]]:
    from deploy.cli.eval.cutting.choosing import chosen
    from deploy.cli.eval.cutting.cutting import CaseCutter
    from deploy.cli.eval.cutting.redaction import Redactor
    from deploy.cli.tenants import tenant_named
    from shared.clock import SystemClock
    from shared.persistence.tenants import TenantRepository
    from workers.judging.kept_message import NotCut

    settings, clock = command_settings(), SystemClock()
    cases: list[GoldenCase] = []
    left_out: Counter[str] = Counter()
    async with open_ledger(settings) as database:
        owner = await tenant_named(tenant, TenantRepository(database, clock))
        redactor = Redactor(settings.validation) if redact else None
        cutter = CaseCutter(database, rubric=rubric, redactor=redactor)
        async for response_id in chosen(where, owner.id, database=database, clock=clock):
            try:
                cases.append(await cutter.case_of(response_id, tenant_id=owner.id))
            except NotCut as error:
                left_out[error.message] += 1
            if len(cases) == limit:
                break
    return cases, dict(left_out)


def _write(out: Path, cases: list[GoldenCase]) -> None:
    """For its owner's eyes alone."""
    lines = b"".join(msgspec.json.encode(each) + b"\n" for each in cases)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(lines)
    except OSError as error:
        raise InvalidRequest(
            f"{out} cannot be written: {error.strerror}. Check the path."
        ) from error
