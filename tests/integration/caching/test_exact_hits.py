"""A message that was answered before is answered from the store, if it may be."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from redis.asyncio import Redis

from deploy.scripted_provider.behaviour import Kind
from shared.answer_cache.housekeeping import Housekeeping
from shared.messages.state import ResponseState
from shared.messages.turn_report import CacheKind
from tests.integration.caching.telling import cache_report, hit, place, poison, stored
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road


async def ask(road: Road, question: str, **changes: Any) -> Any:
    return await road.ended(await road.accept(question, **changes))


async def test_a_repeated_message_is_answered_without_a_call_and_costs_nothing(
    road: Road, provider: ProviderThread
) -> None:
    first = await ask(road, "why is water wet")
    again = await stored(road, "why is water wet")
    assert cache_report(first) is None
    assert again.output_text == first.output_text == "You said: why is water wet"
    assert (again.state, again.answered_by, again.model) == (
        ResponseState.COMPLETED,
        "first",
        first.model,
    )
    assert (again.cost, again.input_tokens, again.output_tokens) == (Decimal(0), 0, 0)
    assert hit(again).kind in {CacheKind.EXACT, CacheKind.SINGLE_FLIGHT}
    assert hit(again).response_id == first.id
    assert await road.attempts(again) == []
    assert len(provider.calls("why is water wet")) == 1


async def test_what_ended_without_a_reason_is_given_to_its_caller_and_to_nobody_else(
    road: Road, provider: ProviderThread
) -> None:
    half = 'data: {"choices":[{"delta":{"content":"Half"}}]}\n\ndata: [DONE]\n\n'
    provider.behave(Kind.RAW, contains="half or whole", text=half)
    for number in (1, 2):
        record = await ask(road, "half or whole", body={"stream": True})
        assert record.output_text == "Half"
        assert cache_report(record) is None
        assert len(provider.calls("half or whole")) == number


async def test_a_hit_is_streamed_as_any_answer(road: Road, provider: ProviderThread) -> None:
    await stored(road, "stream it again")
    record = await road.accept("stream it again", body={"stream": True})
    closing = await road.closing_event(record)
    events = [event for _, event in await road.events(record)]
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds == [
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert "".join(event.get("delta", "") for event in events) == "You said: stream it again"
    assert closing["response"]["turn"]["cache"]["kind"] == "exact"
    assert closing["response"]["usage"]["total_tokens"] == 0
    assert closing["response"]["cost"]["amount"] == "0"
    assert len(provider.calls("stream it again")) == 1


async def test_one_tenant_is_never_given_the_answer_of_another(
    road: Road, provider: ProviderThread
) -> None:
    await stored(road, "who else asks this")
    other = await ask(road, "who else asks this", tenant_id="ten_2")
    assert cache_report(other) is None
    assert len(provider.calls("who else asks this")) == 2


async def test_after_an_invalidation_everything_is_asked_again(
    road: Road, provider: ProviderThread, housekeeping: Housekeeping
) -> None:
    mine = await stored(road, "soon out of date", tenant_id="ten_stale")
    theirs = await stored(road, "soon out of date", tenant_id="ten_fresh")
    calls = len(provider.calls("soon out of date"))
    assert await housekeeping.invalidate("ten_stale") == 1
    assert await housekeeping.show(place(mine)) is None
    assert cache_report(await ask(road, "soon out of date", tenant_id="ten_stale")) is None
    assert cache_report(await ask(road, "soon out of date", tenant_id="ten_fresh")) is not None
    assert hit(theirs).entry != hit(mine).entry
    assert len(provider.calls("soon out of date")) == calls + 1


async def test_an_answer_that_was_under_way_during_an_invalidation_is_not_stored(
    road: Road, provider: ProviderThread, housekeeping: Housekeeping
) -> None:
    provider.behave(Kind.LATENCY, contains="caught in between", seconds=1, times=1)
    record = await road.accept("caught in between", tenant_id="ten_between")
    await asyncio.to_thread(provider.wait_for_calls, "caught in between")
    await housekeeping.invalidate("ten_between")
    await road.ended(record)
    await asyncio.sleep(0.2)
    again = await ask(road, "caught in between", tenant_id="ten_between")
    assert cache_report(again) is None


async def test_max_age_0_and_no_cache_ask_again_and_no_store_leaves_no_trace(
    road: Road, provider: ProviderThread
) -> None:
    def control(words: str) -> dict[str, Any]:
        return {"body": {"cache_control": words}}

    await stored(road, "how old is it")
    await asyncio.sleep(0.01)
    for words in ("max-age=0", "no-cache", "no-store"):
        assert cache_report(await ask(road, "how old is it", **control(words))) is None
    assert cache_report(await ask(road, "how old is it", **control("max-age=600"))) is not None
    assert len(provider.calls("how old is it")) == 4
    for _ in range(2):
        assert cache_report(await ask(road, "keep no trace", **control("no-store"))) is None


@pytest.mark.parametrize(
    ("question", "kind", "parameters"),
    [
        ("a refused one", Kind.ANSWER, {"text": "I'm sorry, I can't help with that."}),
        ("one for the rules", Kind.UNAUTHORISED, {}),
    ],
)
async def test_what_is_no_answer_of_a_model_is_not_given_again(
    road: Road, provider: ProviderThread, question: str, kind: Kind, parameters: dict[str, Any]
) -> None:
    provider.behave(kind, contains=question, **parameters)
    for _ in range(3):
        assert cache_report(await ask(road, question)) is None
    assert len(provider.calls(question)) >= 3


async def test_a_personal_message_is_asked_each_time(road: Road, provider: ProviderThread) -> None:
    for _ in range(3):
        assert cache_report(await ask(road, "what is my account balance")) is None
    assert len(provider.calls("what is my account balance")) == 3


async def test_a_poisoned_entry_does_not_pass_the_guardrail_and_is_dropped(
    road: Road, provider: ProviderThread, housekeeping: Housekeeping, cache_redis: Redis
) -> None:
    first = await stored(road, "poison this")
    await poison(housekeeping, cache_redis, place(first), "  ")
    healed = await ask(road, "poison this")
    assert cache_report(healed) is None
    assert healed.output_text == "You said: poison this"
    assert len(provider.calls("poison this")) == 2
    assert (await stored(road, "poison this")).output_text == healed.output_text


async def test_a_forbidden_span_in_the_store_is_cut_as_from_any_answer(
    road: Road, housekeeping: Housekeeping, cache_redis: Redis
) -> None:
    first = await stored(road, "cut the card out")
    await poison(housekeeping, cache_redis, place(first), "It is 4111 1111 1111 1111.")
    assert (await ask(road, "cut the card out")).output_text == "It is [removed]."


async def test_an_entry_that_nobody_can_read_is_a_miss(
    road: Road, provider: ProviderThread, cache_redis: Redis
) -> None:
    first = await stored(road, "written by a stranger")
    await cache_redis.hset(place(first).entry, "answer", b"\xff{")
    again = await ask(road, "written by a stranger")
    assert again.output_text == first.output_text
    assert cache_report(again) is None
