"""What `forebay replay` can be told, for each of its two kinds."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

_Count = Annotated[int, Parameter(validator=Number(gte=1))]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualOptions:
    """What only replay in virtual time takes.

    Parameters
    ----------
    settings
        Virtual: through the settings of this file; through those of the day, as they are now, if
        not given: then it says how true replay is of that day.
    times
        Virtual: with so much of the same traffic.
    slots
        Virtual: turns that all workers can hold at once; as many as the day had if not given.
    generate
        Virtual: run a day of so many messages that nobody sent instead.
    hours
        How long the generated day is.
    shape
        How its rate runs: flat, or as of a day.
    tenants
        Whose its messages are, the first's most.
    repeated
        The part of them that ask what was asked before.
    call_seconds
        How long its calls last, in the mean.
    seed
        Virtual: what is drawn where the day does not say it; the same seed gives the same run.
    """

    settings: Path | None = None
    times: Annotated[float, Parameter(validator=Number(gt=0, lte=1000))] = 1.0
    slots: _Count | None = None
    generate: _Count | None = None
    hours: Annotated[float, Parameter(validator=Number(gt=0, lte=168))] = 24.0
    shape: Literal["flat", "day"] = "day"
    tenants: _Count = 20
    repeated: Annotated[float, Parameter(validator=Number(gte=0, lt=1))] = 0.2
    call_seconds: Annotated[float, Parameter(validator=Number(gt=0))] = 2.0
    seed: int = 0


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What only replay with --live takes.

    Parameters
    ----------
    tenant
        Live: whose messages are asked again, by the name in `forebay tenants list`.
    budget
        Live: the most that all of it may cost, judge and all, in US dollars.
    model
        Live: the model that is asked; the one that each message named if not given.
    variant
        Live: the variant of the settings under which it is answered; the usual ones if not given.
    judge
        Live: a model that says which of both answers is better.
    rubric
        Live: what the judge is to hold for better.
    against
        Live: the door that is asked, such as http://127.0.0.1:8080.
    key
        Live: the API key whose tenant pays, and whose limits hold. The environment is the better
        place for it: `ps` shows this.
    concurrency
        Live: messages under way at once.
    """

    tenant: str | None = None
    budget: Annotated[float, Parameter(validator=Number(gt=0))] | None = None
    model: str | None = None
    variant: str | None = None
    judge: str | None = None
    rubric: str | None = None
    against: str | None = None
    key: str | None = None
    concurrency: Annotated[int, Parameter(validator=Number(gte=1, lte=256))] = 16


def given(options: VirtualOptions | LiveOptions) -> list[str]:
    """Names of those that are not what they are when nobody gives them."""
    return [each.name for each in fields(options) if getattr(options, each.name) != each.default]
