"""A worker process that hedges: the late call is cut at its server and booked in the ledger."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.messages.record import MessageRecord
from tests.integration.conftest import OneMachine
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack, openai_link

SAMPLES = 3
PRICES = [{"model": "scripted", "input_per_million": 2, "output_per_million": "8.5"}]
pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    return one_machine(
        openai_link(provider.url, "first"),
        openai_link(provider.url, "second"),
        FOREBAY_COSTS__PRICES=json.dumps(PRICES),
        FOREBAY_HEDGING__ENABLED="true",
        FOREBAY_HEDGING__MINIMUM_SAMPLES=str(SAMPLES),
        FOREBAY_HEDGING__SHORTEST_SECONDS="0.3",
        FOREBAY_HEDGING__LARGEST_SHARE="1",
    )


async def ask(road: Road, text: str, *, streamed: bool) -> MessageRecord:
    """One message and its end, after as many quick ones as it takes to know what is late."""
    body: dict[str, Any] = {"stream": True} if streamed else {}
    for number in range(SAMPLES):
        await road.ended(await road.accept(f"quick {number}", body=dict(body)))
    return await road.ended(await road.accept(text, body=dict(body)))


async def streamed_text(road: Road, record: MessageRecord) -> str:
    await road.closing_event(record)
    events = [event for _, event in await road.events(record)]
    assert not [event for event in events if event["type"] == "response.restarted"]
    return "".join(each["delta"] for each in events if each["type"].endswith("text.delta"))


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_loser_is_cut_at_its_server_and_both_are_booked(
    road: Road, provider: ProviderThread, streamed: bool
) -> None:
    question = f"hang once {streamed}"
    provider.behave(Kind.HANG, contains=question, times=1)

    record = await ask(road, question, streamed=streamed)

    assert record.output_text == f"You said: {question}"
    cut, heard = await road.attempts(record)
    assert (cut.provider, cut.error_class) == ("first", "hedged_away")
    assert (heard.provider, heard.error_class) == ("second", None)
    assert (cut.is_estimated, cut.output_tokens, cut.input_tokens > 0) == (True, 0, True)
    assert cut.cost == Decimal(2) * cut.input_tokens / 1_000_000
    assert record.cost == cut.cost + heard.cost
    assert provider.wait_for_cut(question).seconds is not None
    assert len(provider.calls(question)) == 2
    if streamed:
        assert await streamed_text(road, record) == record.output_text


async def test_a_hedge_whose_call_comes_second_is_cut_too(
    road: Road, provider: ProviderThread
) -> None:
    for seconds in (0.8, 5, 20):  # on a busy machine the first may not be late
        question = f"rather late by {seconds}"
        provider.behave(Kind.LATENCY, contains=question, seconds=seconds, times=1)
        provider.behave(Kind.HANG, contains=question, times=1)
        record = await ask(road, question, streamed=False)
        if len(await road.attempts(record)) > 1:
            break

    heard, cut = await road.attempts(record)
    assert (heard.provider, heard.error_class) == ("first", None)
    assert (cut.provider, cut.error_class) == ("second", "hedged_away")
    assert provider.wait_for_cut(question).seconds is not None


async def test_a_stream_that_has_begun_is_not_hedged_however_slowly_it_goes_on(
    road: Road, provider: ProviderThread
) -> None:
    question = "drip drip drip"
    provider.behave(Kind.SLOW_DRIP, contains=question, every_seconds=0.2)

    record = await ask(road, question, streamed=True)

    (attempt,) = await road.attempts(record)
    assert (attempt.provider, attempt.error_class) == ("first", None)
    assert await streamed_text(road, record) == record.output_text


async def test_a_late_call_that_fails_leaves_its_message_to_the_hedge(
    road: Road, provider: ProviderThread
) -> None:
    question = "fails late"
    provider.behave(Kind.SERVER_ERROR, contains=question, seconds=0.6, times=1)
    provider.behave(Kind.LATENCY, contains=question, seconds=0.6, times=1)

    record = await ask(road, question, streamed=False)

    failed, heard = await road.attempts(record)
    assert (failed.provider, failed.error_class) == ("first", "server_error")
    assert (heard.provider, heard.error_class) == ("second", None)
    assert len(provider.calls(question)) == 2
