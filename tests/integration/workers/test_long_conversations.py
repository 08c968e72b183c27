"""A conversation that no model could read whole: fitted, told, and never another tenant's."""

from __future__ import annotations

import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.identifiers import CONVERSATION, new_id
from shared.messages.record import MessageRecord
from shared.messages.response import response_object
from shared.messages.turn_report import ContextReport, decode_report
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack

pytestmark = pytest.mark.usefixtures("worker")

BUDGET = 400


@pytest.fixture(scope="module")
def stack(stack: Stack) -> Stack:
    stack.extra["FOREBAY_CONTEXT__TOKEN_BUDGET"] = str(BUDGET)
    return stack


def report_of(record: MessageRecord) -> ContextReport:
    report = decode_report(record.report)
    assert report is not None
    assert report.context is not None
    return report.context


def talk(messages: int) -> list[dict[str, str]]:
    return [
        {
            "role": "assistant" if number % 2 else "user",
            "content": f"item {number} of a long and winding talk about nothing in particular",
        }
        for number in range(messages)
    ]


async def test_a_long_conversation_is_fitted_and_the_response_tells_how(
    road: Road, provider: ProviderThread
) -> None:
    said = [*talk(100), {"role": "user", "content": "and fitted it was"}]
    record = await road.accept("", body={"input": said, "instructions": "be brief"})
    ended = await road.ended(record)
    assert response_object(ended).truncation == "auto"
    report = report_of(ended)
    assert report.token_budget == BUDGET
    assert report.tokens <= BUDGET
    assert report.kept + report.summarised + report.dropped == len(said) + 1
    assert report.dropped > 0
    (call,) = provider.calls("and fitted it was")
    assert call.instructions == "be brief"


async def test_what_was_said_in_500_messages_can_be_read_back(road: Road) -> None:
    conversation = new_id(CONVERSATION)
    said = talk(500)
    await road.ended(
        await road.accept("", body={"input": said, "stream": False}, conversation_id=conversation)
    )
    report = report_of(await road.ended(await road.accept("more", conversation_id=conversation)))
    assert report.kept + report.summarised + report.dropped == len(said) + 2


async def test_a_short_conversation_is_told_to_be_whole(road: Road) -> None:
    conversation = new_id(CONVERSATION)
    await road.ended(await road.accept("one two", conversation_id=conversation))
    report = report_of(await road.ended(await road.accept("three", conversation_id=conversation)))
    assert (report.kept, report.summarised, report.dropped) == (3, 0, 0)


async def test_a_message_without_a_past_tells_nothing(road: Road) -> None:
    assert (await road.ended(await road.accept("hello"))).report is None


async def test_instructions_that_come_with_every_message_are_given_once(
    road: Road, provider: ProviderThread
) -> None:
    conversation = new_id(CONVERSATION)
    for text in ("first time", "second time", "third and last time"):
        said = [{"role": "developer", "content": "be kind"}, {"role": "user", "content": text}]
        record = await road.accept("", body={"input": said}, conversation_id=conversation)
        await road.ended(record)
    (call,) = provider.calls("third and last time")
    assert call.instructions == "be kind"


async def test_who_forbids_truncation_is_refused_by_name(road: Road) -> None:
    record = await road.accept("", body={"input": talk(100), "truncation": "disabled"})
    ended = await road.ended(record)
    assert ended.error_code == "invalid_prompt"
    assert "truncation" in (ended.error_message or "")
    assert ended.cost == 0
    (letter,) = await road.dead_letters(record.id)
    assert letter.reason == "too_large"


async def test_the_response_tells_of_the_prompt_that_was_answered(
    road: Road, provider: ProviderThread
) -> None:
    whole = await _asked(road, "plain")
    # Whole and shortened it is too long for the first; the second is given the whole.
    provider.behave(Kind.CONTEXT_TOO_LONG, contains="told by the second", times=2)
    ended = await _asked(road, "told by the second")
    assert ended.answered_by == "second"
    assert report_of(ended).dropped == report_of(whole).dropped
    provider.behave(Kind.CONTEXT_TOO_LONG, contains="told by the first", times=1)
    ended = await _asked(road, "told by the first")
    assert ended.answered_by == "first"
    assert report_of(ended).dropped > report_of(whole).dropped


async def _asked(road: Road, name: str) -> MessageRecord:
    """After a talk of its own, so that nobody's summary stands for it."""
    said = [{**item, "content": f"{name[-5:]} {item['content']}"} for item in talk(40)]
    said.append({"role": "user", "content": name})
    return await road.ended(await road.accept("", body={"input": said}))
