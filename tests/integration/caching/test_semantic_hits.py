"""A question in other words is given the stored answer; one that only looks alike is not."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from shared.answer_cache.housekeeping import Housekeeping
from shared.messages.record import MessageRecord
from shared.messages.turn_report import CacheKind
from tests.integration.caching.conftest import CACHING
from tests.integration.caching.telling import cache_report, hit, place, poison, stored
from tests.integration.conftest import OneMachine
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, eventually
from tests.integration.workers.stack import Stack, openai_link

ENABLE, TURN_ON, DISABLE = (f"How do I {verb} 2FA?" for verb in ("enable", "turn on", "disable"))
SEMANTIC = {
    "FOREBAY_CACHING__SEMANTIC__ENABLED": "true",
    "FOREBAY_CACHING__SEMANTIC__THRESHOLD": "0.6",
}


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    return one_machine(openai_link(provider.url), **CACHING, **SEMANTIC)


async def same_meaning(road: Road, question: str, tenant: str) -> MessageRecord:
    """The first answer to it that is a semantic hit: the model may still be loading."""

    async def found() -> MessageRecord | None:
        words = {"cache_control": "no-store"}
        await road.ended(await road.accept("warm", tenant_id=tenant, body=words))
        record = await road.ended(await road.accept(question, tenant_id=tenant))
        report = cache_report(record)
        return record if report and report.kind is CacheKind.SEMANTIC else None

    return await eventually(found, "a semantic hit")


async def test_other_words_are_given_the_same_answer_and_an_opposite_question_is_not(
    lone_road: Road, provider: ProviderThread
) -> None:
    road = lone_road
    first = await stored(road, ENABLE, tenant_id="ten_words")
    again = await same_meaning(road, TURN_ON, "ten_words")
    assert again.output_text == first.output_text
    assert again.cost == 0
    report = hit(again)
    assert report.entry == hit(first).entry
    assert report.similarity is not None
    assert 0.6 <= report.similarity < 1
    opposite = await road.ended(await road.accept(DISABLE, tenant_id="ten_words"))
    assert cache_report(opposite) is None
    assert opposite.output_text == f"You said: {DISABLE}"
    assert len(provider.calls(DISABLE)) == 1


async def test_neither_another_tenant_nor_another_instruction_nor_a_conversation_shares_it(
    lone_road: Road, provider: ProviderThread
) -> None:
    road = lone_road
    first = await stored(road, ENABLE, tenant_id="ten_alone")
    await same_meaning(road, TURN_ON, "ten_alone")
    others = [
        await road.accept(TURN_ON, tenant_id="ten_else"),
        await road.accept(TURN_ON, tenant_id="ten_alone", body={"instructions": "In French."}),
        await road.accept(TURN_ON, tenant_id="ten_alone", body={"temperature": 0.0}),
        await road.accept(
            TURN_ON,
            tenant_id="ten_alone",
            previous_id=first.id,
            body={"previous_response_id": first.id},
        ),
    ]
    for record in others:
        assert cache_report(await road.ended(record)) is None


async def test_an_entry_that_was_dropped_or_fails_the_guardrail_is_not_served_to_other_words(
    lone_road: Road, housekeeping: Housekeeping, cache_redis: Redis
) -> None:
    road, tenant = lone_road, "ten_dropped"
    first = await stored(road, ENABLE, tenant_id=tenant)
    await same_meaning(road, TURN_ON, tenant)
    await poison(housekeeping, cache_redis, place(first), "  ")
    rejected = await road.ended(await road.accept("How can I turn on 2FA?", tenant_id=tenant))
    assert cache_report(rejected) is None
    await housekeeping.invalidate(tenant)
    asked_again = await road.ended(await road.accept("how do I turn 2FA on?", tenant_id=tenant))
    assert cache_report(asked_again) is None
