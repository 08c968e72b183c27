"""A stream whose connection is cut, and resumed where it stopped."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.road.streamed import STORY
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour, Kind

_PIECES_BEFORE_THE_CUT = 3


async def cut_and_resumed(stage: Stage) -> Told:
    stage.primary.script(Behaviour(kind=Kind.SLOW_DRIP, text=STORY, every_seconds=0.05))
    before = await _until_cut(stage)
    cut_after = before[-1]["sequence_number"]
    response_id = before[0]["response"]["id"]
    after = [event async for event in stage.visitor.resume(response_id, after=cut_after)]
    expect(after, "Nothing came after the cut.")
    numbers = [event["sequence_number"] for event in before + after]
    expect(numbers == list(range(len(numbers))), f"The events are numbered {numbers}.")
    expect(_text(before + after) == STORY, "The pieces of both connections do not make the answer.")
    expect(len(stage.primary.calls) == 1, "The provider was asked more than once.")
    # Whoever cannot resume asks again, and pays again.
    heard = await stage.visitor.get(response_id)
    return Told(
        f"The connection was cut after event {cut_after} and resumed there: "
        f"{len(before)} + {len(after)} events, none missing, none twice.",
        {"cut_after": cut_after, "events_before": len(before), "events_after": len(after)},
        saved=heard.cost,
    )


async def _until_cut(stage: Stage) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    async with aclosing(stage.visitor.stream("Tell me slowly about forebays.")) as events:
        async for event in events:
            seen.append(event)
            if len(_deltas(seen)) == _PIECES_BEFORE_THE_CUT:
                break
    return seen


def _deltas(events: list[dict[str, Any]]) -> list[str]:
    return [event["delta"] for event in events if event["type"] == "response.output_text.delta"]


def _text(events: list[dict[str, Any]]) -> str:
    return "".join(_deltas(events))
