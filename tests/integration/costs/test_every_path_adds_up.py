"""However a message ends, its cost is the sum of its attempts, and everybody is told the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from deploy.scripted_provider.behaviour import Kind
from shared.costs.prices import total_cost
from shared.costs.spending import Spending, SpendingBy
from shared.messages.facts import FACTS_KEY
from shared.messages.record import MessageRecord
from shared.messages.response import response_object
from shared.messages.state import ResponseState
from shared.persistence.tables import attempt
from tests.integration.conftest import OneMachine
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import TENANT, Road, eventually
from tests.integration.workers.stack import Stack, openai_link

pytestmark = pytest.mark.usefixtures("worker")
PRICES = [{"model": "scripted", "input_per_million": 2, "output_per_million": "8.5"}]
FACTS = json.dumps({"balance": {"type": "money", "value": 47.15, "currency": "USD"}})
FALSE, TRUE = "Your balance is $127,549.32.", "Your balance is $47.15."
FAILURES = {
    *("server_error", "malformed_answer", "cut_stream", "timeout"),
    *("rejected", "hedged_away", "abandoned"),
}


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    return one_machine(
        openai_link(provider.url, "first", max_tries=2),
        openai_link(provider.url, "second"),
        {"name": "people", "kind": "handoff"},
        FOREBAY_COSTS__PRICES=json.dumps(PRICES),
        FOREBAY_CACHING__EXACT="true",
        FOREBAY_CONTEXT__TOKEN_BUDGET="400",
        FOREBAY_HEDGING__ENABLED="true",
        FOREBAY_HEDGING__MINIMUM_SAMPLES="3",
        FOREBAY_HEDGING__SHORTEST_SECONDS="0.5",
        FOREBAY_HEDGING__LARGEST_SHARE="1",
        FOREBAY_BREAKERS__MINIMUM_CALLS="1000",
        FOREBAY_BREAKERS__FAILURES_IN_A_ROW="1000",
    )


@dataclass(frozen=True)
class Mix:
    """Sends messages that each take another path; `name` keeps rounds apart."""

    road: Road
    provider: ProviderThread
    name: str

    async def teach_what_is_late(self) -> None:
        for number in range(3):
            await self._ask(f"quick {number}", stream=True)

    async def plain(self) -> list[MessageRecord]:
        return [await self._ask("plain")]

    async def retried_and_passed_on(self) -> list[MessageRecord]:
        self._behave("retry", Kind.SERVER_ERROR, times=2)
        return [await self._ask("retry")]

    async def of_unknown_cost(self) -> list[MessageRecord]:
        self._behave("garble", Kind.MALFORMED_JSON, times=1)
        return [await self._ask("garble")]

    async def without_figures(self) -> list[MessageRecord]:
        self._behave("no figures", Kind.NO_USAGE, times=1)
        return [await self._ask("no figures", stream=True)]

    async def asked_again(self) -> list[MessageRecord]:
        self._behave("balance", Kind.ANSWER, text=FALSE, times=1)
        self._behave("balance", Kind.ANSWER, text=TRUE)
        return [await self._ask("balance", metadata={FACTS_KEY: FACTS})]

    async def handed_off(self) -> list[MessageRecord]:
        self._behave("lie", Kind.ANSWER, text=FALSE)
        return [await self._ask("lie", metadata={FACTS_KEY: FACTS})]

    async def given_again(self) -> list[MessageRecord]:
        fresh = await self._ask("again")
        await self.road.closing_event(fresh)
        return [fresh, await self._ask("again", stream=True)]

    async def in_one_flight(self) -> list[MessageRecord]:
        self._behave("together", Kind.LATENCY, seconds=0.3)
        return list(await asyncio.gather(*(self._ask("together") for _ in range(4))))

    async def hedged(self) -> list[MessageRecord]:
        self._behave("late", Kind.LATENCY, seconds=40, times=1)  # later than any quick one
        return [await self._ask("late", stream=True)]

    async def broken_off(self) -> list[MessageRecord]:
        self._behave("break", Kind.CUT_STREAM, after_tokens=2, times=1)
        return [await self._ask("break", stream=True)]

    async def summarised(self) -> list[MessageRecord]:
        said = [
            {
                "role": "assistant" if number % 2 else "user",
                "content": f"{self.name} item {number} of a long and winding talk about nothing",
            }
            for number in range(61)
        ]
        record = await self.road.ended(await self.road.accept("", body={"input": said}))

        async def is_booked() -> bool:
            return len(await self.road.attempts(record)) > 1

        await eventually(is_booked, "the summary behind the answer")
        return [record]

    async def cancelled(self) -> list[MessageRecord]:
        self._behave("never mind", Kind.HANG)
        record = await self.road.accept(f"{self.name} never mind")
        calls = f"{self.name} never mind"
        await asyncio.to_thread(self.provider.wait_for_calls, calls)
        cancelled = await self.road.ledger.cancel(record.id, tenant_id=TENANT)
        assert cancelled is not None
        await self.road.replies.wake(cancelled.claimed_by or "")  # as a door does
        return [await self.road.ended(record)]

    async def too_late(self) -> list[MessageRecord]:
        self._behave("too late", Kind.HANG)
        for seconds in (2, 10, 40):  # on a busy machine the first may pass before the call
            record = await self._ask("too late", seconds=seconds)
            if await self.road.attempts(record):
                break
        return [record]

    async def _ask(self, asked: str, *, seconds: float = 60, **body: Any) -> MessageRecord:
        question = f"{self.name} {asked}"
        return await self.road.ended(await self.road.accept(question, seconds=seconds, body=body))

    def _behave(self, asked: str, kind: Kind, **parameters: Any) -> None:
        self.provider.behave(kind, contains=f"{self.name} {asked}", **parameters)

    @property
    def paths(self) -> list[Callable[[], Awaitable[list[MessageRecord]]]]:
        return [
            *(self.plain, self.retried_and_passed_on, self.of_unknown_cost, self.without_figures),
            *(self.asked_again, self.handed_off, self.given_again, self.in_one_flight),
            *(self.hedged, self.broken_off, self.summarised, self.cancelled, self.too_late),
        ]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_attempts_messages_and_reports_tell_the_same_sums(
    road: Road, provider: ProviderThread, seed: int
) -> None:
    mix = Mix(road, provider, f"round {seed}:")
    await mix.teach_what_is_late()
    paths = mix.paths
    Random(seed).shuffle(paths)
    rounds = [await asyncio.gather(*(path() for path in paths[part::3])) for part in range(3)]
    records = [record for part in rounds for path in part for record in path]
    costs = [await _adds_up(road, record) for record in records]

    (row,) = await Spending(road.database).report(SpendingBy.TENANT)
    booked = await _all_costs(road)
    assert row.cost == sum((cost for cost in booked if cost is not None), Decimal(0))
    assert row.unknown == booked.count(None)
    assert costs.count(Decimal(0)) == 4, "a hit, and three who shared a flight"
    assert await _all_failures(road) == FAILURES, "every path was taken"


async def _adds_up(road: Road, record: MessageRecord) -> Decimal | None:
    """What it cost, once the last of its calls has been booked."""

    async def settled() -> MessageRecord | None:
        found = await road.ledger.find(record.id)
        attempts = await road.attempts(record)
        assert found is not None
        is_sum = found.cost == total_cost(each.cost for each in attempts)
        wants_calls = found.state is ResponseState.CANCELLED
        return found if is_sum and bool(attempts) >= wants_calls else None

    found = await eventually(settled, f"the sum of {record.body[:80]}")
    if found.state is not ResponseState.CANCELLED:  # whoever cancels tells of it
        await _is_told_alike(road, found)
    return found.cost


async def _is_told_alike(road: Road, record: MessageRecord) -> None:
    closing = (await road.closing_event(record))["response"]
    read = msgspec.json.decode(msgspec.json.encode(response_object(record)))
    assert closing["turn"] == read["turn"]
    if "a long and winding talk" not in record.body:  # its summary came after the answer
        assert closing["cost"] == read["cost"]


async def _all_failures(road: Road) -> set[str]:
    async with road.database.relaxed.connect() as connection:
        return {each for each in await connection.scalars(select(attempt.c.error_class)) if each}


async def _all_costs(road: Road) -> list[Decimal | None]:
    async with road.database.relaxed.connect() as connection:
        return list(await connection.scalars(select(attempt.c.cost)))
