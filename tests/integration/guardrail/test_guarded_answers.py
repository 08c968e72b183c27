"""No answer with a forbidden span or a false fact leaves, whoever wrote it and however it goes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from redis.asyncio import Redis

from deploy.scripted_provider.behaviour import Kind
from shared.messages.dead_letter import DeadReason
from shared.messages.facts import FACTS_KEY
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.reservations.reservations import user_key
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import TENANT, Road, eventually
from tests.integration.workers.stack import Stack

CARD = "4111 1111 1111 1111"
FALSE, TRUE = "Your balance is $127,549.32.", "Your balance is $47.15."
FACTS = json.dumps({"balance": {"type": "money", "value": 47.15, "currency": "USD"}})
KNOWN: dict[str, Any] = {"metadata": {FACTS_KEY: FACTS}}
PADDING = "The number that you asked me for, as far as I can see it from here, reads "


def say(provider: ProviderThread, asked: str, *texts: str, every_seconds: float = 0.0) -> None:
    """What to answer, in order; in pieces where there is a pause between them."""
    kind = Kind.SLOW_DRIP if every_seconds else Kind.ANSWER
    for text in texts:
        provider.behave(kind, contains=asked, text=text, times=1, every_seconds=every_seconds)


async def test_a_hallucinated_balance_is_caught_and_asked_for_again(
    road: Road, provider: ProviderThread, worker: AgentWorker
) -> None:
    say(provider, "what do I own", FALSE, TRUE)
    record = await road.ended(await road.accept("what do I own", body=KNOWN))
    assert (record.state, record.output_text) == (ResponseState.COMPLETED, TRUE)
    assert record.answered_by == "first"
    rejected, accepted = await road.attempts(record)
    assert (rejected.error_class, accepted.error_class) == ("rejected", None)
    assert "balance" in rejected.detail
    assert "127,549" not in rejected.detail
    assert "127,549" not in worker.log


@pytest.mark.parametrize("lane", list(Lane))
async def test_no_lane_is_spared(road: Road, provider: ProviderThread, lane: Lane) -> None:
    asked = f"in the {lane} lane"
    say(provider, asked, FALSE, TRUE)
    record = await road.ended(await road.accept(asked, body=KNOWN, lane=lane))
    assert record.output_text == TRUE
    assert [each.error_class for each in await road.attempts(record)] == ["rejected", None]


async def test_the_true_balance_passes(road: Road, provider: ProviderThread) -> None:
    say(provider, "truly what", TRUE)
    record = await road.ended(await road.accept("truly what", body=KNOWN))
    assert record.output_text == TRUE
    assert len(await road.attempts(record)) == 1


async def test_a_forbidden_span_is_cut_from_a_waiting_answer(
    road: Road, provider: ProviderThread, worker: AgentWorker
) -> None:
    say(provider, "the number", f"It is {CARD}, says E-12345.")
    record = await road.ended(await road.accept("the number"))
    assert record.output_text == "It is [removed], says [removed]."
    (booked,) = await road.attempts(record)
    assert booked.detail is not None
    assert CARD not in booked.detail + worker.log


async def test_whose_answer_held_a_forbidden_span_may_send_less(
    road: Road, provider: ProviderThread, stack: Stack
) -> None:
    redis = Redis.from_url(stack.redis_url)

    async def record_of(user: str) -> bytes | None:
        found: bytes | None = await redis.get(user_key(TENANT, user))
        return found

    say(provider, "pry", f"It is {CARD}.")
    say(provider, "ask", "It is secret.")
    await road.ended(await road.accept("ask", user_id="polite"))
    await road.ended(await road.accept("pry", user_id="prying"))
    assert await eventually(lambda: record_of("prying"), "a record of the user's risk")
    assert await record_of("polite") is None
    await redis.aclose()


async def test_a_forbidden_span_is_cut_from_a_stream_wherever_its_pieces_end(
    road: Road, provider: ProviderThread
) -> None:
    async def streamed(number: int) -> None:
        asked = f"stream the card {number:02}."
        text = f"{'x' * number} {PADDING}{CARD} and nothing else. {PADDING}nothing."
        say(provider, asked, text, every_seconds=0.001)
        record = await road.accept(asked, body={"stream": True})
        closing = await road.closing_event(record, seconds=30)
        events = [event for _, event in await road.events(record)]
        assert "4111" not in json.dumps(events)
        assert "response.restarted" not in [event["type"] for event in events]
        told = "".join(event.get("delta", "") for event in events)
        assert told == text.replace(CARD, "[removed]")
        assert closing["response"]["output"][0]["content"][0]["text"] == told

    await asyncio.gather(*map(streamed, range(20)))


async def test_a_stream_that_ends_with_a_false_fact_begins_again(
    road: Road, provider: ProviderThread
) -> None:
    false, true = f"{PADDING * 2}so. {FALSE}", f"{PADDING * 2}so. {TRUE}"
    say(provider, "stream my balance", false, true, every_seconds=0.01)
    record = await road.accept("stream my balance", body={"stream": True, **KNOWN})
    await road.closing_event(record)
    events = [event for _, event in await road.events(record)]
    kinds = [event["type"] for event in events]
    again = kinds.index("response.restarted")
    assert "response.output_text.delta" in kinds[:again]
    told = "".join(event.get("delta", "") for event in events[again:])
    assert told == true
    assert "127,549" not in json.dumps(events), "the false end was still held back"


async def test_rules_are_judged_like_everybody(
    road: Road, provider: ProviderThread, has_human: bool
) -> None:
    provider.behave(Kind.UNAUTHORISED, contains="read the card out")
    record = await road.ended(await road.accept("read the card out"))
    assert (record.answered_by, record.output_text) == ("rules", "The card is [removed].")


async def test_when_every_answer_is_rejected_a_human_has_it_or_it_is_a_dead_letter(
    road: Road, provider: ProviderThread, has_human: bool
) -> None:
    provider.behave(Kind.ANSWER, contains="ask the rules", text=FALSE)
    record = await road.ended(await road.accept("ask the rules", body=KNOWN))
    attempts = [(each.provider, each.error_class) for each in await road.attempts(record)]
    asked_twice = [(name, "rejected") for name in ("first", "second", "rules") for _ in range(2)]
    assert attempts[:6] == asked_twice
    if has_human:
        assert record.state is ResponseState.REQUIRES_ACTION
    else:
        assert record.state is ResponseState.FAILED
        (letter,) = await road.dead_letters(record.id)
        assert letter.reason == DeadReason.CHAIN_EXHAUSTED
        assert "127,549" not in (record.error_message or "")


async def test_a_verdict_of_handoff_passes_the_other_providers_by(
    road: Road, provider: ProviderThread, has_human: bool
) -> None:
    say(provider, "refuse me", "I'm sorry, but I cannot help with that.")
    record = await road.ended(await road.accept("refuse me"))
    wanted = ResponseState.REQUIRES_ACTION if has_human else ResponseState.FAILED
    assert record.state is wanted
    providers = [attempt.provider for attempt in await road.attempts(record)]
    assert providers == (["first", "people"] if has_human else ["first"])


async def test_json_that_breaks_its_schema_is_asked_for_again(
    road: Road, provider: ProviderThread
) -> None:
    schema = {"type": "object", "required": ["city"]}
    wanted = {"format": {"type": "json_schema", "name": "city", "schema": schema}}
    say(provider, "as json", '{"town": "Bonn"}', '{"city": "Bonn"}')
    record = await road.ended(await road.accept("as json", body={"text": wanted}))
    assert record.output_text == '{"city": "Bonn"}'


@pytest.mark.parametrize("streamed", [False, True])
async def test_right_json_in_a_fence_leaves_without_it(
    road: Road, provider: ProviderThread, streamed: bool
) -> None:
    schema = {"type": "object", "required": ["city"]}
    wanted = {"format": {"type": "json_schema", "name": "city", "schema": schema}}
    asked = f"as fenced json {streamed}"
    say(provider, asked, 'Sure:\n```json\n{"city": "Bonn"}\n```')
    record = await road.accept(asked, body={"text": wanted, "stream": streamed})
    closing = await road.closing_event(record)
    assert closing["response"]["output"][0]["content"][0]["text"] == '{"city": "Bonn"}'
    assert len(provider.calls(asked)) == 1, "what is right is not paid for twice"


async def test_a_schema_that_is_none_ends_the_message_without_a_call(
    road: Road, provider: ProviderThread
) -> None:
    wanted = {"format": {"type": "json_schema", "name": "x", "schema": {"type": "nope"}}}
    record = await road.ended(await road.accept("no schema", body={"text": wanted}))
    assert record.state is ResponseState.FAILED
    assert "text.format.schema" in (record.error_message or "")
    assert provider.calls("no schema") == []
