"""Every provider of models against a server that behaves."""

from __future__ import annotations

import asyncio

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.call import Ending
from deploy.scripted_provider.provider import ScriptedProvider
from tests.conformance.providers.adapters import Adapter, Build
from tests.integration.providers.asking import ECHO, Heard, prompt
from workers.providers.outcome import Answer, FinishReason, Usage
from workers.providers.wire.http.connections import ProviderConnections


async def test_a_plain_answer_has_text_model_and_the_usage_of_the_wire(build: Build) -> None:
    answer = await build().answer(prompt(), time_left_seconds=60)

    assert answer == Answer(
        text=ECHO,
        model="small",
        finish=FinishReason.STOP,
        usage=Usage(input_tokens=10, output_tokens=10),
    )


async def test_a_streamed_answer_is_the_same_and_comes_in_pieces(
    build: Build, scripted: ScriptedProvider
) -> None:
    # What arrives together is handed on in one piece, so the server makes a pause.
    scripted.script(Behaviour(kind=Kind.SLOW_DRIP, every_seconds=0.02))
    heard = Heard()

    answer = await build().answer(prompt(), time_left_seconds=60, on_delta=heard)

    assert answer == await build().answer(prompt(), time_left_seconds=60)
    assert heard.text == ECHO
    assert len(heard.pieces) == 10


@pytest.mark.parametrize("on_delta", [None, Heard()])
async def test_a_limit_on_the_answer_is_kept_and_reported(
    build: Build, on_delta: Heard | None
) -> None:
    answer = await build().answer(
        prompt(max_output_tokens=2), time_left_seconds=60, on_delta=on_delta
    )

    assert (answer.text, answer.finish) == ("You said:", FinishReason.LENGTH)


@pytest.mark.parametrize(("asked", "called"), [("auto", "small"), ("large", "large")])
async def test_a_served_model_is_called_by_its_name_and_any_other_by_the_default(
    build: Build, scripted: ScriptedProvider, asked: str, called: str
) -> None:
    await build().answer(prompt(model=asked), time_left_seconds=60)

    assert scripted.calls.by_model == {called: 1}
    assert next(iter(scripted.calls)).headers == {"key": "given"}


@pytest.mark.parametrize("on_delta", [None, Heard()])
async def test_missing_usage_is_estimated_and_says_so(
    build: Build, scripted: ScriptedProvider, on_delta: Heard | None
) -> None:
    scripted.script(Behaviour(kind=Kind.NO_USAGE))

    answer = await build().answer(prompt(), time_left_seconds=60, on_delta=on_delta)

    assert answer.usage == Usage(input_tokens=12, output_tokens=11, reported=False)


async def test_an_error_of_the_caller_passes_unchanged(build: Build) -> None:
    async def broken_caller(piece: str) -> None:
        raise TimeoutError("Redis is slow")

    with pytest.raises(TimeoutError, match="Redis is slow"):
        await build().answer(prompt(), time_left_seconds=60, on_delta=broken_caller)


async def test_a_cancelled_call_is_cut_at_the_server(
    build: Build, scripted: ScriptedProvider
) -> None:
    scripted.script(Behaviour(kind=Kind.HANG))
    call = asyncio.create_task(build().answer(prompt(), time_left_seconds=60))
    await scripted.calls.until(lambda: scripted.calls.in_flight == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await scripted.calls.until(lambda: scripted.calls.cut_by_client == 1)

    assert [each.ending for each in scripted.calls] == [Ending.CUT_BY_CLIENT]


@pytest.mark.parametrize("on_delta", [None, Heard()])
async def test_two_hundred_calls_at_once_each_get_their_own_answer(
    build: Build, scripted: ScriptedProvider, on_delta: Heard | None
) -> None:
    provider = build()

    for seconds in (0.5, 5.0, 20.0):  # on a busy machine the first may end before the last begins
        scripted.reset()
        scripted.script(Behaviour(kind=Kind.LATENCY, seconds=seconds))
        answers = await asyncio.gather(
            *(
                provider.answer(prompt(f"question {n}"), time_left_seconds=60, on_delta=on_delta)
                for n in range(200)
            )
        )
        texts = [answer.text for answer in answers]
        assert texts == [f"You said: question {n}" for n in range(200)]
        if scripted.calls.most_in_flight > 100:
            break

    assert scripted.calls.most_in_flight > 100


async def test_a_stream_read_to_its_end_leaves_its_connection_for_the_next(
    build: Build, adapter: Adapter, scripted: ScriptedProvider, connections: ProviderConnections
) -> None:
    provider, standing = build(), connections._all
    for _ in range(5):
        await provider.answer(prompt(), time_left_seconds=60, on_delta=Heard())
        async with asyncio.timeout(60):
            # Until the end of the stream is here too.
            while len(standing) > sum(map(len, connections._free.values())):  # noqa: ASYNC110
                await asyncio.sleep(0)

    assert len(standing) == adapter.keeps_connection
