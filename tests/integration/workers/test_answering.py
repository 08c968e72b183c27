"""A worker process answers what was accepted, in order, and says how everything ended."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.messages.dead_letter import DeadReason
from shared.messages.state import ResponseState
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import TENANT, Road

LATE = timedelta(seconds=60)
pytestmark = pytest.mark.usefixtures("worker")


async def test_a_message_is_answered(road: Road) -> None:
    record = await road.ended(await road.accept("What is a forebay?"))
    assert record.state is ResponseState.COMPLETED
    assert record.output_text == "You said: What is a forebay?"
    assert (record.answered_by, record.attempt) == ("first", 1)
    assert record.input_tokens
    assert record.output_tokens
    (booked,) = await road.attempts(record)
    assert (booked.provider, booked.error_class) == ("first", None)
    closing = await road.closing_event(record)
    assert closing["type"] == "response.completed"


async def test_a_streamed_answer_has_its_events_in_order_without_gaps(
    road: Road, provider: ProviderThread
) -> None:
    for pause in (0.05, 0.5, 2.0):  # on a busy machine the first may all come at once
        provider.behave(Kind.SLOW_DRIP, contains="tell it slowly", every_seconds=pause, times=1)
        record = await road.accept("tell it slowly please", body={"stream": True})
        await road.closing_event(record)
        numbers, events = zip(*await road.events(record), strict=True)
        assert list(numbers) == list(range(2, 2 + len(numbers)))
        kinds = [event["type"].removeprefix("response.") for event in events]
        if (deltas := kinds.count("output_text.delta")) > 2:
            break
    assert deltas > 2, "the text came while it was written"
    assert kinds == [
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * deltas,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    text = "".join(event.get("delta", "") for event in events)
    assert text == "You said: tell it slowly please"
    assert events[-4]["text"] == text
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == text


async def test_a_streamed_answer_that_met_its_limit_is_no_whole_item(road: Road) -> None:
    record = await road.accept(
        "say this in many words please", body={"stream": True, "max_output_tokens": 3}
    )
    await road.closing_event(record)
    *_, done, end = [event for _, event in await road.events(record)]
    assert end["type"] == "response.incomplete"
    assert done["type"] == "response.output_item.done"
    assert done["item"] == end["response"]["output"][0]
    assert done["item"]["status"] == "incomplete"


async def test_a_stream_that_breaks_off_begins_again_with_the_next_provider(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.CUT_STREAM, contains="break off", after_tokens=2, times=1)
    record = await road.accept("break off once", body={"stream": True})
    await road.closing_event(record)
    events = [event for _, event in await road.events(record)]
    kinds = [event["type"] for event in events]
    again = kinds.index("response.restarted")
    text = "".join(event.get("delta", "") for event in events[again:])
    assert text == "You said: break off once"
    assert (await road.ended(record)).answered_by == "second"


async def test_a_message_cancelled_in_the_queue_calls_nobody(
    road: Road, provider: ProviderThread
) -> None:
    record = await road.accept("too late to ask", wake=False)
    await road.ledger.cancel(record.id, tenant_id=TENANT)
    road.wake(record)
    await road.ended(await road.accept("one that comes after it"))
    assert provider.calls("too late to ask") == []
    assert (await road.ended(record)).attempt == 0


async def test_a_deadline_that_passed_in_the_queue_is_a_dead_letter_without_a_call(
    road: Road, provider: ProviderThread
) -> None:
    record = await road.ended(await road.accept("nobody wants this", seconds=-1))
    assert record.state is ResponseState.FAILED
    assert record.error_message is not None
    assert "deadline" in record.error_message
    (letter,) = await road.dead_letters(record.id)
    assert letter.reason is DeadReason.DEADLINE_PASSED
    assert provider.calls("nobody wants this") == []


async def test_a_deadline_in_the_middle_of_a_turn_ends_the_call_and_the_message(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.HANG, contains="hurry")
    for seconds in (1.2, 5, 20):  # on a busy machine the first may pass before the call
        record = await road.ended(await road.accept("hurry up", seconds=seconds))
        if provider.calls("hurry"):
            break
    assert record.state is ResponseState.FAILED
    (letter,) = await road.dead_letters(record.id)
    assert letter.reason is DeadReason.DEADLINE_PASSED
    assert (record.finished_at or record.deadline) - record.deadline < LATE
    assert {attempt.error_class for attempt in await road.attempts(record)} == {"timeout"}
    await asyncio.to_thread(provider.wait_for_cut, "hurry")


async def test_an_exhausted_chain_fails_with_a_dead_letter_and_every_attempt(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.SERVER_ERROR, contains="nobody can answer")
    record = await road.ended(await road.accept("nobody can answer this"))
    assert (record.state, record.error_code) == (ResponseState.FAILED, "server_error")
    (letter,) = await road.dead_letters(record.id)
    assert letter.reason is DeadReason.CHAIN_EXHAUSTED
    tried = [(row.provider, row.error_class) for row in await road.attempts(record)]
    assert tried == [("first", "server_error"), ("second", "server_error")]
    assert (await road.closing_event(record))["response"]["error"]["code"] == "server_error"


@pytest.mark.parametrize(
    ("status", "body", "error_class"),
    [
        (400, '{"error":{"message":"Your credit balance is too low."}}', "unauthorised"),
        (404, "<html>Not Found</html>", "misconfigured"),
        (413, '{"error":{"message":"Limit 6000 tokens per minute (TPM)"}}', "busy"),
        (400, '{"error":{"code":"content_filter"}}', "filtered"),
        (500, '{"error":' * 2_000, "server_error"),
        (400, '{"error":{"message":"something is wrong"}}', "invalid_request"),
    ],
)
async def test_a_provider_in_trouble_of_its_own_is_passed_over_for_a_healthy_one(
    road: Road, provider: ProviderThread, status: int, body: str, error_class: str
) -> None:
    asked = f"answer this in spite of {error_class}"
    provider.behave(Kind.RAW, contains=asked, status=status, text=body, times=1)
    record = await road.ended(await road.accept(asked))

    assert (record.state, record.answered_by) == (ResponseState.COMPLETED, "second")
    tried = [(row.provider, row.error_class) for row in await road.attempts(record)]
    assert tried == [("first", error_class), ("second", None)]


async def test_what_every_provider_calls_invalid_fails_with_their_own_words(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(
        Kind.INVALID_REQUEST, contains="is invalid", message="No such tool as 'abacus'."
    )
    record = await road.ended(await road.accept("this is invalid"))
    assert (record.state, record.error_code) == (ResponseState.FAILED, "invalid_prompt")
    assert "No such tool as 'abacus'." in (record.error_message or "")
    (letter,) = await road.dead_letters(record.id)
    assert letter.reason is DeadReason.PROVIDER_REFUSED
    assert len(provider.calls("this is invalid")) == 2, "what one refuses another may take"


async def test_a_wake_up_that_comes_again_after_the_end_does_nothing(
    road: Road, provider: ProviderThread
) -> None:
    record = await road.ended(await road.accept("answered only once"))
    await road.closing_event(record)
    events = await road.events(record)
    for _ in range(3):
        road.wake(record)
    await road.ended(await road.accept("behind the repetitions"))
    assert len(provider.calls("answered only once")) == 1
    assert await road.ended(record) == record
    assert await road.events(record) == events
