"""What is old in a long conversation is summarised behind the answer, and paid for by its turn."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.clock import SystemClock
from shared.identifiers import new_response_id
from shared.messages.record import MessageRecord
from shared.messages.tenant import Plan
from shared.messages.turn_report import ContextReport, decode_report
from shared.persistence.tenants import TenantRepository
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, eventually
from tests.integration.workers.stack import Stack

pytestmark = pytest.mark.usefixtures("worker")

Starter = Callable[..., AgentWorker]

BUDGET = 400
PLENTY = 1_000_000_000
SUMMARY = "The order is A-4711 and Miriam wants it by Friday."
PRICE = {"model": "scripted", "input_per_million": "1000", "output_per_million": "1000"}


@pytest.fixture(scope="module")
def stack(stack: Stack) -> Stack:
    stack.extra["FOREBAY_CONTEXT__TOKEN_BUDGET"] = str(BUDGET)
    stack.extra["FOREBAY_COSTS__PRICES"] = json.dumps([PRICE])
    return stack


@pytest.fixture(scope="module", autouse=True)
def scripted(provider: ProviderThread, stack: Stack) -> None:
    provider.behave(Kind.ANSWER, contains="orders item", text=SUMMARY)


def talk(name: str, messages: int = 60) -> list[dict[str, str]]:
    return [
        {
            "role": "assistant" if number % 2 else "user",
            "content": f"{name} item {number} of a long and winding talk about nothing at all",
        }
        for number in range(messages)
    ]


async def ask(
    road: Road, said: list[dict[str, str]], *, most: int | None = None, **changes: object
) -> MessageRecord:
    body: dict[str, object] = {"input": said}
    if most is not None:
        body["max_output_tokens"] = most
    return await road.ended(await road.accept("", body=body, **changes))


async def tenant_with_cap(road: Road, dollars: str) -> str:
    """The id of a new tenant that may spend so much a day."""
    tenants = TenantRepository(road.database, SystemClock())
    plan = Plan(PLENTY, PLENTY, PLENTY, PLENTY, PLENTY, Decimal(dollars))
    return (await tenants.create(f"poor with {new_response_id()}", plan)).id


def report_of(record: MessageRecord) -> ContextReport:
    report = decode_report(record.report)
    assert report is not None
    assert report.context is not None
    return report.context


async def summarised(road: Road, record: MessageRecord) -> MessageRecord:
    """The record once the call behind its answer is booked."""

    async def booked() -> bool:
        return len(await road.attempts(record)) > 1

    await eventually(booked, "the summary's attempt")
    found = await road.ledger.find(record.id)
    assert found is not None
    return found


async def test_the_next_turn_is_given_what_this_one_summarised(
    road: Road, provider: ProviderThread
) -> None:
    said = talk("orders")
    first = await ask(road, said)
    assert report_of(first).summarised == 0
    assert report_of(first).dropped > 0
    await summarised(road, first)
    said += [{"role": "assistant", "content": "fine"}, {"role": "user", "content": "orders on"}]
    second = report_of(await ask(road, said))
    assert second.summarised > 40
    assert second.dropped == 0
    assert second.tokens <= BUDGET
    (call,) = provider.calls("orders item 0 of")
    assert call.instructions.startswith("You write summaries")


async def test_a_summary_is_booked_to_the_message_whose_turn_made_it(road: Road) -> None:
    record = await summarised(road, await ask(road, talk("costs", 28)))
    answer, summary = await road.attempts(record)
    assert (answer.ordinal, summary.ordinal) == (1, 2)
    assert summary.tenant_id == record.tenant_id
    assert summary.cost > 0
    assert record.cost == answer.cost + summary.cost


async def test_an_answer_does_not_wait_for_the_summary(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.LATENCY, contains="slow item 0 of", seconds=1.5)
    record = await summarised(road, await ask(road, talk("slow", 28)))
    answer, summary = await road.attempts(record)
    assert record.finished_at is not None
    assert record.finished_at < summary.started_at + timedelta(
        seconds=float(summary.latency_seconds)
    )
    assert record.cost == answer.cost + summary.cost > answer.cost


async def test_a_summary_that_the_cap_leaves_no_room_for_is_not_made_and_turns_go_on(
    road: Road, provider: ProviderThread
) -> None:
    poor = await tenant_with_cap(road, "3.00")
    said = talk("poor")
    first = await ask(road, said, most=50, tenant_id=poor)
    assert (first.state, first.answered_by) == ("completed", "first")
    await summarised(road, first)
    answer, *held_back = await road.attempts(first)
    assert answer.cost > 0
    assert {(each.error_class, each.cost) for each in held_back} == {("held_back", 0)}
    said.append({"role": "user", "content": "poor again"})
    second = await ask(road, said, most=50, tenant_id=poor)
    assert (second.state, second.answered_by) == ("completed", "first")
    assert report_of(second).summarised == 0
    assert provider.calls("poor item 0 of") == []


async def test_a_prompt_that_is_too_long_after_all_is_fitted_once_more(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.CONTEXT_TOO_LONG, contains="too long after all", times=1)
    said = [*talk("fitted", 20), {"role": "user", "content": "too long after all"}]
    record = await ask(road, said)
    assert record.state == "completed"
    assert record.answered_by == "first"
    assert report_of(record).tokens <= BUDGET * 0.6
    assert [attempt.error_class for attempt in await road.attempts(record)][:2] == [
        "context_too_long",
        None,
    ]


async def test_where_the_settings_say_so_the_first_answer_waits_for_a_summary(
    road: Road, provider: ProviderThread, stack: Stack, worker: AgentWorker, start_worker: Starter
) -> None:
    worker.kill()
    own = replace(stack, extra={**stack.extra, "FOREBAY_CONTEXT__SUMMARISE": "inline"})
    start_worker(own)
    record = await ask(road, talk("inline", 28))
    assert report_of(record).summarised > 0
    assert report_of(record).dropped == 0
    summary, answer = await road.attempts(record)
    assert record.cost == summary.cost + answer.cost
    assert summary.started_at < answer.started_at
    poor = await tenant_with_cap(road, "3.00")
    record = await ask(road, talk("poor inline"), most=50, tenant_id=poor)
    assert (record.state, record.answered_by) == ("completed", "first")
    assert report_of(record).summarised == 0
    # Before the answer and, once it has left, behind it: no summary is paid for.
    attempts = await road.attempts(record)
    (answer,) = [each for each in attempts if each.error_class is None]
    assert {each.error_class for each in attempts if each is not answer} == {"held_back"}
    assert record.cost == answer.cost > 0
