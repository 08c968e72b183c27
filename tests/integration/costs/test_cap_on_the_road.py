"""A cap of a dollar a day lets a dollar through, whatever is asked for at the same time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import openai
import pytest
from openai.types.responses import Response

from deploy.scripted_provider.behaviour import Kind
from shared.clock import SystemClock
from shared.costs.spending import Spending, SpendingBy
from shared.identifiers import new_response_id
from shared.messages.facts import FACTS_KEY
from shared.messages.tenant import KeyScope, Plan
from shared.persistence.tenants import TenantRepository
from tests.integration.conftest import OneMachine
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack, openai_link
from workers.providers.rules import BUILT_IN_RULES

pytestmark = pytest.mark.usefixtures("worker")
PRICES = [{"model": "scripted", "input_per_million": 1, "output_per_million": 100}]
TOKENS = 2_000
LONG = " ".join(["word"] * TOKENS)
"""An answer of 0.20 dollars."""
PLENTY = 1_000_000_000
FACTS = json.dumps({"balance": {"type": "money", "value": 47.15, "currency": "USD"}})


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    return one_machine(
        openai_link(provider.url, "first"),
        openai_link(provider.url, "second"),
        {"name": "rules", "kind": "rules", "rules_file": str(BUILT_IN_RULES)},
        FOREBAY_COSTS__PRICES=json.dumps(PRICES),
    )


@pytest.fixture(scope="module")
def door(stack: Stack) -> Iterator[RunningDoor]:
    with RunningDoor(stack.settings) as running:
        yield running


@dataclass(frozen=True)
class Customer:
    """A tenant with a cap and its client."""

    tenant: str
    client: openai.AsyncOpenAI
    road: Road

    async def ask(self, text: str, **asked: Any) -> Response | None:
        """Its answer; None where the budget let it not in."""
        try:
            return await self.client.responses.create(input=text, max_output_tokens=TOKENS, **asked)
        except openai.RateLimitError:
            return None

    async def spent(self) -> Decimal:
        rows = await Spending(self.road.database).report(SpendingBy.TENANT)
        return sum((row.cost for row in rows if row.of == self.tenant), Decimal(0))


@pytest.fixture
async def customer(
    road: Road, door: RunningDoor, request: pytest.FixtureRequest
) -> AsyncIterator[Customer]:
    name, cap = new_response_id(), Decimal(request.param)
    tenants = TenantRepository(road.database, SystemClock())
    owner = await tenants.create(name, Plan(PLENTY, PLENTY, PLENTY, PLENTY, PLENTY, cap))
    key = (await tenants.create_key(owner, scope=KeyScope.PRODUCER)).key
    async with openai.AsyncOpenAI(
        api_key=key, base_url=f"{door.url}/v1", max_retries=0, timeout=60
    ) as client:
        yield Customer(name, client, road)


@pytest.mark.parametrize("customer", ["1.00"], indirect=True)
async def test_two_hundred_at_once_spend_no_more_than_the_cap(
    customer: Customer, provider: ProviderThread
) -> None:
    provider.behave(Kind.ANSWER, contains="write a lot", text=LONG)
    answers = await asyncio.gather(*(customer.ask(f"write a lot {n}") for n in range(200)))
    assert 1 <= sum(answer is not None for answer in answers) <= 5
    while await customer.ask("write a lot and more"):
        pass
    assert Decimal("0.6") < await customer.spent() <= Decimal(1)


@pytest.mark.parametrize("customer", ["0.35"], indirect=True)
async def test_a_further_call_that_the_cap_leaves_no_room_for_is_not_made(
    customer: Customer, provider: ProviderThread
) -> None:
    provider.behave(
        Kind.ANSWER, contains="help with my balance", text=f"Your balance is $127.00. {LONG}"
    )
    told = await customer.ask("I need help with my balance.", metadata={FACTS_KEY: FACTS})
    assert told is not None
    record = await customer.road.ledger.find(told.id)
    assert record is not None
    assert record.answered_by == "rules"
    rejected, *held_back, _ = await customer.road.attempts(record)
    assert rejected.error_class == "rejected"
    assert {each.error_class for each in held_back} == {"held_back"}
    assert {each.cost for each in held_back} == {0}
    assert len(held_back) == 2, "neither asked once more nor the next one asked"
    assert Decimal("0.2") < await customer.spent() < Decimal("0.21")


@pytest.mark.parametrize("customer", ["0.35"], indirect=True)
async def test_a_call_that_was_refused_costs_nothing_and_leaves_room_for_the_next(
    customer: Customer, provider: ProviderThread
) -> None:
    provider.behave(Kind.SERVER_ERROR, contains="fails once", times=1)
    provider.behave(Kind.ANSWER, contains="fails once", text="Here it is.")
    told = await customer.ask("fails once")
    assert told is not None
    assert told.output_text == "Here it is."
