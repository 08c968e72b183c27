"""A real model answers through the provider `local`: whole, streamed, bounded, in a schema."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from shared.messages.item import MessageItem, Role
from tests.integration.local_model.running_model import RunningModel
from workers.providers.failures import ContextTooLongError
from workers.providers.outcome import Answer, FinishReason
from workers.providers.provider import Prompt, Provider

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 8}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


async def ask(provider: Provider, text: str, **changes: object) -> Answer:
    messages = (
        MessageItem(Role.SYSTEM, "Be brief."),
        MessageItem(Role.USER, text),
    )
    prompt = Prompt(items=messages, **changes)  # type: ignore[arg-type]
    outcome = await provider.answer(prompt, time_left_seconds=60)
    assert isinstance(outcome, Answer)
    return outcome


async def test_it_answers_and_says_what_it_read_and_wrote(provider: Provider) -> None:
    answer = await ask(provider, "What is gravity?", max_output_tokens=6)
    assert answer.text.strip()
    assert (answer.usage.output_tokens, answer.finish) == (6, FinishReason.LENGTH)
    assert answer.usage.input_tokens > 10
    assert answer.model == "smollm2-135m-instruct"


async def test_an_answer_without_a_limit_ends_at_its_own(provider: Provider) -> None:
    answer = await ask(provider, "Tell me the story of the world.")
    assert answer.usage.output_tokens <= 16


async def test_a_streamed_answer_comes_in_pieces(provider: Provider) -> None:
    pieces: list[str] = []

    async def hear(piece: str) -> None:
        pieces.append(piece)

    prompt = Prompt(items=(MessageItem(Role.USER, "What is gravity?"),), max_output_tokens=8)
    answer = await provider.answer(prompt, time_left_seconds=60, on_delta=hear)
    assert isinstance(answer, Answer)
    assert len(pieces) > 2
    assert "".join(pieces) == answer.text
    assert answer.usage.output_tokens == 8


async def test_an_answer_keeps_to_the_schema_that_was_asked_for(provider: Provider) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}}
    answer = await ask(
        provider, "Invent a person.", max_output_tokens=60, extra={"response_format": wanted}
    )
    person = msgspec.json.decode(answer.text)
    assert set(person) == {"name", "age"}
    assert isinstance(person["age"], int)


async def test_it_stops_before_a_word_it_was_told(provider: Provider) -> None:
    whole = await ask(provider, "What is gravity?", max_output_tokens=12, temperature=0.0)
    word = whole.text.split()[3]
    cut = await ask(
        provider, "What is gravity?", max_output_tokens=12, temperature=0.0, stop=(word,)
    )
    assert whole.text.startswith(cut.text)
    assert word not in cut.text
    assert cut.finish is FinishReason.STOP


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_prompt_over_its_context_is_called_too_long(
    provider: Provider, streamed: bool
) -> None:
    async def hear(piece: str) -> None:
        raise AssertionError(piece)

    prompt = Prompt(items=(MessageItem(Role.USER, "word " * 600),))
    with pytest.raises(ContextTooLongError, match="exceeds the available context size"):
        await provider.answer(prompt, time_left_seconds=60, on_delta=hear if streamed else None)


async def test_more_callers_than_slots_are_all_answered(provider: Provider) -> None:
    answers = await asyncio.gather(
        *(ask(provider, f"What is {number}?", max_output_tokens=2) for number in range(6))
    )
    assert [answer.usage.output_tokens for answer in answers] == [2] * 6


@pytest.mark.parametrize("streamed", [False, True])
async def test_nobody_writes_for_a_caller_who_left(
    provider: Provider, model: RunningModel, streamed: bool
) -> None:
    began = asyncio.Event()

    async def hear(_: str) -> None:
        began.set()

    prompt = Prompt(
        items=(MessageItem(Role.USER, "Write a long story."),),
        max_output_tokens=400,
        extra={"ignore_eos": True},
    )
    before = model.tokens_written
    asking = asyncio.create_task(
        provider.answer(prompt, time_left_seconds=60, on_delta=hear if streamed else None)
    )
    await asyncio.to_thread(model.wait_until, answers_under_way=1)
    if streamed:
        await began.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await asyncio.to_thread(model.wait_until, answers_under_way=0)
    assert model.tokens_written - before < 400
