"""`forebay route`: which model a message would get, and what that saves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings
from deploy.cli.options import AsJson
from deploy.cli.output import complain, counted, say, say_json, say_table
from shared.clock import SystemClock
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.route.policies import Outcome, Replay
    from deploy.cli.route.tariff import TierTariff
    from shared.messages.turn_report import RoutingReport
    from workers.routing.complexity.score import Score

_USUAL_THRESHOLDS: Final = (0.15, 0.35, 0.5)
"""Tried beside the one of the settings, so that its neighbours are seen."""
_SIGNAL_HEADINGS: Final = ("signal", "value", "weight", "effect")
_POLICY_HEADINGS: Final = (
    "policy", "small", "large", "dollars", "saved", "hard to small", "easy to large"
)  # fmt: skip

route = App(name="route", help="Which model a message would get, and what that saves.")


@route.command
def explain(
    text: str | None = None, /, *, stdin: bool = False, tenant: str = "", as_json: AsJson = False
) -> None:
    """Show a message's score, its signals and its tier.

    Parameters
    ----------
    text
        The message.
    stdin
        Read it from standard input.
    tenant
        A tenant's id, for its own threshold or tier.
    """
    from shared.messages.body import Body
    from workers.routing.model_router import ModelRouter
    from workers.routing.question import question_of

    if (text is None) is not stdin:
        raise InvalidRequest("Give a message, or --stdin: one of them.")
    settings = command_settings()
    body = Body.says(sys.stdin.read() if text is None else text)
    question = question_of(body, body.input)
    router = ModelRouter(settings.routing)
    chosen, score = router.route(question, tenant=tenant), router.score(question)
    tariff = _tariff()
    model = tariff.models[chosen.tier] if tariff.models else None
    if as_json:
        threshold = router.threshold(tenant)
        say_json(_explained(chosen, score, model=model, threshold=threshold))
        return
    say(f"{chosen.tier}{f' ({model} at {tariff.provider})' if model else ''}: {chosen.reason}")
    rows = [
        (each.name, f"{each.value:.2f}", f"{each.weight:g}", _signed(each.effect, each.raises))
        for each in score.signals
    ]
    say_table(_SIGNAL_HEADINGS, rows, empty="Every weight is 0.")


@route.command
def replay(
    file: Path,
    /,
    *,
    large_from: Annotated[tuple[float, ...], Parameter(consume_multiple=True)] = (),
    output_tokens: Annotated[int, Parameter(validator=Number(gte=0))] = 256,
    as_json: AsJson = False,
) -> int:
    """Price a file of messages under each policy.

    All small, all large, and `auto` at several thresholds, at the first provider that has two
    models. Every message counts as one that names no model. Labelled ones also show how often
    `auto` is wrong. The exit code is 1 when any line was no message.

    Parameters
    ----------
    file
        JSONL: each line a JSON string, or an object like the body of POST /v1/responses, with
        `output_tokens` (what its answer had) and `hard` (true, false) where they are known.
    large_from
        Thresholds to try, 0 to 1; without any, the setting's and a few around it.
    output_tokens
        What an answer has where its line does not say.
    """
    from deploy.cli.route.messages import read_messages
    from deploy.cli.route.policies import Replay
    from deploy.cli.send.order import BadLine
    from workers.routing.model_router import ModelRouter

    settings, tariff = command_settings(), _tariff()
    replayed = Replay(
        ModelRouter(settings.routing),
        tariff,
        thresholds=_thresholds(large_from, settings.routing.large_from),
        output_tokens=output_tokens,
    )
    bad = 0
    for message in read_messages(file):
        if isinstance(message, BadLine):
            bad += 1
            complain(f"line {message.line} {message.problem}")
        else:
            replayed.add(message)
    _show(replayed, tariff, bad=bad, as_json=as_json)
    return 1 if bad else 0


def _tariff() -> TierTariff:
    from deploy.cli.route.tariff import TierTariff

    return TierTariff(command_settings(), at=SystemClock().now())


def _thresholds(wanted: tuple[float, ...], usual: float) -> list[float]:
    for threshold in wanted:
        if not 0.0 <= threshold <= 1.0:
            raise InvalidRequest(f"--large-from {threshold:g} is out of range: write 0 to 1.")
    return sorted({*wanted} or {usual, *_USUAL_THRESHOLDS})


def _explained(
    chosen: RoutingReport, score: Score, *, model: str | None, threshold: float
) -> dict[str, object]:
    return {
        "tier": chosen.tier,
        "model": model,
        "score": score.value,
        "large_from": threshold,
        "reason": chosen.reason,
        "signals": [
            {"name": each.name, "value": each.value, "weight": each.weight, "raises": each.raises}
            for each in score.signals
        ],
    }


def _show(replayed: Replay, tariff: TierTariff, *, bad: int, as_json: bool) -> None:
    outcomes = replayed.outcomes()
    if as_json:
        say_json(
            {
                "messages": replayed.messages,
                "bad_lines": bad,
                "hard": replayed.hard,
                "easy": replayed.easy,
                "estimated_answers": replayed.estimated,
                "models": tariff.models,
                "policies": outcomes,
            }
        )
        return
    rows = [_cells(outcome, replayed) for outcome in outcomes] if replayed.messages else []
    say_table(_POLICY_HEADINGS, rows, empty="The file has no message.")
    for remark in _remarks(replayed, tariff):
        say(remark)


def _cells(outcome: Outcome, replayed: Replay) -> tuple[object, ...]:
    return (
        outcome.policy,
        outcome.small,
        outcome.large,
        "unknown" if outcome.dollars is None else f"{outcome.dollars:.6f}",
        "" if outcome.saved is None else f"{outcome.saved:.1%}",
        _share(outcome.hard_to_small, replayed.hard),
        _share(outcome.easy_to_large, replayed.easy),
    )


def _remarks(replayed: Replay, tariff: TierTariff) -> list[str]:
    remarks = []
    if tariff.models is None:
        remarks.append(
            "No provider has two models, so costs are unknown: set small_model and large_model "
            "under [[providers]]."
        )
    else:
        remarks.append(f"{tariff.provider}: " + ", ".join(map(" is ".join, tariff.models.items())))
    remarks += [
        f"'{model}' has no known price. List it under [[costs.prices]]."
        for model in tariff.unpriced
    ]
    if replayed.estimated:
        remarks.append(f"Estimated: {counted(replayed.estimated, 'answer')}, and every input.")
    return remarks


def _share(count: int, whole: int) -> str:
    return f"{count} of {whole}" if whole else ""


def _signed(effect: float, raises: bool) -> str:
    return f"{'+' if raises else '-'}{effect:.2f}"
