"""A whole worker packs what is held in the batch lane, and whoever waits is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from shared.identifiers import CONVERSATION, new_id
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.turn_report import decode_report
from shared.redis.client import open_redis
from shared.settings.providers import ProviderSettings
from tests.integration.conftest import OneMachine
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, eventually
from tests.integration.workers.stack import Stack, openai_link
from workers.building.runtime import open_runtime

WAITS = timedelta(days=1)
BATCH = {"fill_seconds": 0.1, "poll_seconds": 0.1}
WRONG = "which only an openai_compatible or anthropic provider without deployments can have"


@pytest.fixture(scope="module", params=["openai_compatible", "anthropic"])
def stack(
    request: pytest.FixtureRequest, one_machine: OneMachine, provider: ProviderThread
) -> Stack:
    link = openai_link(provider.url, kind=request.param, batch=BATCH)
    return one_machine(link, FOREBAY_CACHING__EXACT="true")


async def test_a_worker_packs_and_tells(stack: Stack, road: Road, provider: ProviderThread) -> None:
    records = [await held(road, text) for text in ("one", "two")]
    async with open_runtime(stack.settings):
        ended = [await road.ended(record) for record in records]
        for record in records:
            closing = await road.closing_event(record)
            assert closing["type"] == "response.completed"

    assert {each.state for each in ended} == {ResponseState.COMPLETED}
    assert [each.output_text for each in ended] == ["You said: one", "You said: two"]
    assert all(call.batch for call in (*provider.calls("one"), *provider.calls("two")))


async def test_what_is_stored_is_told_instead_of_packed_and_what_was_packed_is_stored(
    stack: Stack, road: Road, provider: ProviderThread
) -> None:
    async with open_redis(stack.settings.redis) as redis, open_runtime(stack.settings):

        async def stored() -> int:
            return len(await redis.keys("forebay:cache:*:entry:*"))

        before = await stored()
        first, other = await held(road, "three"), await held(road, "four")
        paid = [await road.ended(each) for each in (first, other)]

        async def both_are_stored() -> bool:
            return await stored() == before + 2

        await eventually(both_are_stored, "both answers in the store, behind their ends")
        again = await road.ended(await held(road, "three"))

    assert [each.output_text for each in (*paid, again)] == [
        "You said: three", "You said: four", "You said: three",
    ]  # fmt: skip
    assert [len(provider.calls(text)) for text in ("three", "four")] == [1, 1]
    report = decode_report(again.report)
    assert report is not None
    assert report.cache is not None
    assert report.cache.response_id == first.id


async def test_what_may_have_changed_since_it_was_packed_is_not_stored(
    stack: Stack, road: Road, provider: ProviderThread
) -> None:
    source = {"name": "shop", "kind": "http", "url": "http://127.0.0.1:1/{metadata_shop}"}
    looks_up = {"FOREBAY_FACTS__SOURCES": json.dumps([source])}
    async with open_redis(stack.settings.redis) as redis:
        before = await redis.keys("forebay:cache:*:entry:*")
        async with open_runtime(stack.settings):
            talk = await held(road, "six", conversation_id=new_id(CONVERSATION))
            assert (await road.ended(talk)).state is ResponseState.COMPLETED
        async with open_runtime(replace(stack, extra=stack.extra | looks_up).settings):
            assert (await road.ended(await held(road, "seven"))).state is ResponseState.COMPLETED
        assert await redis.keys("forebay:cache:*:entry:*") == before
    assert provider.calls("seven")


async def test_equal_messages_in_one_batch_do_not_wait_for_each_other(
    stack: Stack, road: Road, provider: ProviderThread
) -> None:
    records = [await held(road, "five") for _ in range(2)]
    async with open_runtime(stack.settings):
        ended = [await road.ended(each) for each in records]

    assert {each.state for each in ended} == {ResponseState.COMPLETED}
    assert all(call.batch for call in provider.calls("five"))


async def held(road: Road, text: str, **fields: str) -> MessageRecord:
    """Accepted for the batch lane. Nothing takes wake-ups here: what is answered was packed."""
    seconds = WAITS.total_seconds()
    return await road.accept(
        text, wake=False, lane=Lane.BATCH, held_at=road.clock.now(), seconds=seconds, **fields
    )


@pytest.mark.parametrize(
    "link",
    [
        {"kind": "azure_openai"},
        {"kind": "openai_compatible", "deployments": [{"name": "a"}, {"name": "b"}]},
        {"kind": "local"},
    ],
)
def test_a_provider_that_has_no_batches_is_told_by_its_name(link: dict[str, object]) -> None:
    given = {"name": "first", "base_url": "http://x.example", "model": "m", "batch": {}, **link}
    faults = [*msgspec.convert(given, ProviderSettings).faults()]
    assert any("providers: 'first' has batch" in fault and WRONG in fault for fault in faults)


def test_the_dispatcher_is_told_how_long_to_leave_them_alone(stack: Stack) -> None:
    assert stack.settings.batches_first_seconds == BATCH["fill_seconds"] + 5
    assert msgspec.structs.replace(stack.settings, providers=()).batches_first_seconds == 0
