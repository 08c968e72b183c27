"""What a caller hears of a turn whose text was taken back and whose answer is calls of tools."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from shared.costs.prices import Prices
from shared.identifiers import new_response_id
from shared.messages.body import Body, encode_body
from shared.messages.item import FunctionCall, MessageItem, ReasoningItem, Role
from shared.messages.output import AnswerItem
from shared.messages.state import ResponseState
from shared.messages.tool import FunctionTool
from shared.persistence.engine import open_database
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.settings.validation import ValidationSettings
from shared.telemetry.metrics import Metrics
from tests.integration.patience import patient_settings
from tests.integration.workers.road import eventually
from tests.queued_message import queued_message
from tests.unit.workers.providers.scripted_links import Stage, transient
from workers.building.recall import open_files
from workers.providers.outcome import Answer, FinishReason, Outcome, Usage
from workers.providers.provider import Sink
from workers.steps.answer import AnswerStep
from workers.steps.judging import Judging
from workers.steps.meter import Meter
from workers.turn import Turn, begin_turn
from workers.validation.building import build_guardrail

TOOL = FunctionTool(
    name="look_up", parameters={"type": "object", "properties": {"at": {"type": "integer"}}}
)
FITS = FunctionCall("call_1", "look_up", '{"at":1}')
ALSO = FunctionCall("call_2", "look_up", '{"at":2}')
BROKEN = FunctionCall("call_1", "look_up", '{"at":"one"}')
THOUGHT = ReasoningItem(summary=({"type": "summary_text", "text": "Hm."},))
SAID = "Let me look that up for you, it will not take long. "
USAGE = Usage(input_tokens=3, output_tokens=4)

Step = Callable[[Sink | None], Awaitable[Outcome]]
Heard = Callable[[], Awaitable[object]]
"""Returns when the caller has heard of some text."""
Script = Callable[[Heard], Step]


def says(text: str, *items: AnswerItem, fails: bool = False) -> Script:
    """Thinks and writes, then has the whole answer, or breaks off."""
    return lambda heard: _step(heard, text, items, fails=fails)


def _step(heard: Heard, text: str, items: tuple[AnswerItem, ...], *, fails: bool) -> Step:
    async def step(sink: Sink | None) -> Outcome:
        assert sink is not None
        for item in items:
            if isinstance(item, ReasoningItem):
                await sink(item)
        if text:
            await sink(text)
            await heard()
        if fails:
            raise transient()
        return Answer(text=text, model="m", finish=FinishReason.STOP, usage=USAGE, items=items)

    return step


@pytest.fixture
async def replies(redis_url: str) -> AsyncIterator[ReplyStream]:
    redis = open_redis(patient_settings(redis_url))
    stream = ReplyStream(redis, ttl_seconds=60)
    yield stream
    await stream.close()
    await redis.aclose()


async def heard(replies: ReplyStream, *scripts: Script) -> tuple[Turn, list[dict[str, Any]]]:
    """The turn's end, and the events of its stream."""
    stage, metrics = Stage(), Metrics()
    message_id = new_response_id()

    async def has_text() -> bool:
        read = await replies.read(message_id, after=-1)
        return any(b"output_text.delta" in event for _, event in read)

    def text_is_heard() -> Awaitable[object]:
        return eventually(has_text, "some text")

    provider = stage.provider("a", *(script(text_is_heard) for script in scripts))
    body = Body(input=[MessageItem(Role.USER, "Where is it?")], tools=[TOOL], stream=True)
    turn = begin_turn(
        queued_message(
            id=message_id,
            body=encode_body(body).decode(),
            attempt=1,
            accepted_at=stage.clock.now(),
        )
    )
    turn.items = turn.body.input
    no_files = open_database(LedgerSettings(url=ServerUrl("sqlite+aiosqlite:///none.db")))
    answer = AnswerStep(
        stage.chain(provider),
        replies,
        files=open_files(no_files, stage.clock),
        stream_interval_seconds=0.0,
        judging=Judging(build_guardrail(ValidationSettings()), metrics),
        meter=Meter(Prices([], []), metrics),
        metrics=metrics,
        clock=stage.clock,
    )
    await answer(turn)
    await no_files.close()
    read = await replies.read(turn.record.id, after=-1)
    return turn, [json.loads(event) for _, event in read]


def told_since_restart(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    places = [n for n, event in enumerate(events) if event["type"] == "response.restarted"]
    assert len(places) == 1, [event["type"] for event in events]
    before = [event["type"] for event in events[: places[0]]]
    assert "response.output_item.added" in before
    assert not any("function_call" in kind for kind in before), "a call was told and taken back"
    return events[places[0] + 1 :]


def done(events: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Every item of the output that was closed, by its place."""
    kind = "response.output_item.done"
    return [(e["output_index"], e["item"]["type"]) for e in events if e["type"] == kind]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(says(SAID, fails=True), id="the call broke off"),
        pytest.param(says(SAID, BROKEN), id="its call was rejected"),
        pytest.param(says(SAID, THOUGHT, BROKEN), id="it had thought"),
    ],
)
async def test_calls_alone_follow_text_that_was_taken_back(
    replies: ReplyStream, first: Script
) -> None:
    turn, events = await heard(replies, first, says("", FITS, ALSO))
    since = told_since_restart(events)
    assert done(since) == [(0, "function_call"), (1, "function_call")]
    kind = "response.function_call_arguments.done"
    assert [e["arguments"] for e in since if e["type"] == kind] == ['{"at":1}', '{"at":2}']
    assert not any("output_text" in event["type"] for event in since)
    assert turn.settlement is not None
    assert (turn.settlement.state, turn.settlement.output_text) == (ResponseState.COMPLETED, "")
    assert "call_2" in (turn.settlement.output_items or "")


async def test_thoughts_text_and_calls_follow_each_in_its_place(replies: ReplyStream) -> None:
    _, events = await heard(replies, says(SAID, BROKEN), says("Found it.", THOUGHT, FITS))
    since = told_since_restart(events)
    assert done(since) == [(0, "reasoning"), (1, "message"), (2, "function_call")]
    text = "".join(e["delta"] for e in since if e["type"] == "response.output_text.delta")
    assert text == "Found it."


async def test_a_call_is_told_once_and_only_as_it_was_judged(replies: ReplyStream) -> None:
    secret = FunctionCall("call_1", "look_up", '{"at":1,"card":"4111 1111 1111 1111"}')
    _, events = await heard(replies, says(SAID, secret))
    kinds = [event["type"] for event in events]
    assert kinds.count("response.function_call_arguments.done") == 1
    assert "response.restarted" not in kinds
    assert "4111" not in json.dumps(events)
    assert done(events) == [(0, "message"), (1, "function_call")]
