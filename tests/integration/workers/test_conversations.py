"""What was said before reaches the provider: its own count of the words it was sent proves it."""

from __future__ import annotations

import pytest

from shared.conversations.catalogue import Conversations
from shared.conversations.joining import NamedItem
from shared.identifiers import CONVERSATION, new_id
from shared.messages.item import MessageItem, Role
from shared.messages.state import ResponseState
from tests.integration.workers.road import TENANT, Road

pytestmark = pytest.mark.usefixtures("worker")

FIRST_QUESTION = 3
FIRST_ANSWER = 5
SECOND_QUESTION = 2


async def test_a_response_continues_the_one_it_names(road: Road) -> None:
    first = await road.ended(await road.accept("one two three"))
    assert first.input_tokens == FIRST_QUESTION
    assert first.output_tokens == FIRST_ANSWER
    second = await road.ended(await road.accept("four five", previous_id=first.id))
    assert second.input_tokens == FIRST_QUESTION + FIRST_ANSWER + SECOND_QUESTION
    third = await road.ended(await road.accept("six", previous_id=second.id))
    assert third.input_tokens == second.input_tokens + (second.output_tokens or 0) + 1


async def test_messages_of_a_conversation_know_the_ones_before(road: Road) -> None:
    conversation = new_id(CONVERSATION)
    await road.ended(await road.accept("one two three", conversation_id=conversation))
    second = await road.ended(await road.accept("four five", conversation_id=conversation))
    assert second.input_tokens == FIRST_QUESTION + FIRST_ANSWER + SECOND_QUESTION


async def test_a_client_that_sends_its_history_again_does_not_double_it(road: Road) -> None:
    conversation = new_id(CONVERSATION)
    first = await road.ended(await road.accept("one two three", conversation_id=conversation))
    said = [
        {"role": "user", "content": "one two three"},
        {"role": "assistant", "content": first.output_text},
        {"role": "user", "content": "four five"},
    ]
    for link in ({"conversation_id": conversation}, {"previous_id": first.id}):
        again = await road.ended(await road.accept("", body={"input": said}, **link))
        assert again.input_tokens == FIRST_QUESTION + FIRST_ANSWER + SECOND_QUESTION


async def test_another_tenants_conversation_is_never_read(road: Road) -> None:
    conversation = new_id(CONVERSATION)
    first = await road.ended(await road.accept("one two three", conversation_id=conversation))
    other = await road.ended(
        await road.accept("four five", tenant_id="ten_2", conversation_id=conversation)
    )
    assert other.input_tokens == SECOND_QUESTION
    other = await road.ended(await road.accept("four", tenant_id="ten_2", previous_id=first.id))
    assert other.error_code == "previous_response_not_found"


async def test_a_response_deleted_meanwhile_fails_the_message_that_continues_it(
    road: Road,
) -> None:
    first = await road.ended(await road.accept("one two three"))
    second = await road.accept("four five", previous_id=first.id, wake=False)
    assert await road.ledger.delete(first.id, tenant_id=first.tenant_id)
    road.wake(second)
    failed = await road.ended(second)
    assert failed.state is ResponseState.FAILED
    assert failed.error_code == "previous_response_not_found"
    assert first.id in (failed.error_message or "")
    assert "previous_response_id" in (failed.error_message or "")
    assert not await road.attempts(failed)
    (letter,) = await road.dead_letters(failed.id)
    assert letter.reason == "previous_response_gone"


async def test_what_a_caller_put_into_a_conversation_is_told_as_well(road: Road) -> None:
    conversations = Conversations(road.database, road.clock)
    put_in = [NamedItem("item_1", MessageItem(Role.USER, "one two three"))]
    made = await conversations.create(TENANT, {}, put_in)
    ended = await road.ended(await road.accept("four five", conversation_id=made.id))
    assert ended.input_tokens == FIRST_QUESTION + SECOND_QUESTION


async def test_a_conversation_deleted_meanwhile_fails_the_message_in_it(road: Road) -> None:
    conversations = Conversations(road.database, road.clock)
    made = await conversations.create(TENANT, {}, [])
    await road.ended(await road.accept("one two three", conversation_id=made.id))
    second = await road.accept("four five", conversation_id=made.id, wake=False)
    await conversations.delete(TENANT, made.id)
    road.wake(second)
    failed = await road.ended(second)
    assert (failed.state, failed.error_code) == (ResponseState.FAILED, "conversation_not_found")
    assert made.id in (failed.error_message or "")


async def test_instructions_come_with_every_message(road: Road) -> None:
    record = await road.accept("one two three", body={"instructions": "be brief"})
    assert (await road.ended(record)).input_tokens == FIRST_QUESTION + 2


async def test_a_message_over_the_token_budget_is_refused_by_name(road: Road) -> None:
    record = await road.ended(await road.accept("word " * 40_000))
    assert record.error_code == "invalid_prompt"
    assert "context.token_budget" in (record.error_message or "")
    (letter,) = await road.dead_letters(record.id)
    assert letter.reason == "too_large"
