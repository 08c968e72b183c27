"""Hedged, judged, restarted and stored streams: never the words of two calls in one text."""

from __future__ import annotations

import asyncio
import json
from random import Random

import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.messages.facts import FACTS_KEY
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from tests.integration.conftest import OneMachine
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack, openai_link

pytestmark = pytest.mark.usefixtures("worker")
FACTS = json.dumps({"balance": {"type": "money", "value": 47.15, "currency": "USD"}})
FALSE = "Your balance is $127,549.32, "
WORDS = ("alpha ", "beta ", "gamma ", "delta ")
LATE_SECONDS = 0.3


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    return one_machine(
        openai_link(provider.url, "first"),
        openai_link(provider.url, "second"),
        openai_link(provider.url, "third"),
        FOREBAY_CACHING__EXACT="true",
        FOREBAY_HEDGING__ENABLED="true",
        FOREBAY_HEDGING__MINIMUM_SAMPLES="3",
        FOREBAY_HEDGING__SHORTEST_SECONDS=str(LATE_SECONDS),
        FOREBAY_HEDGING__LARGEST_SHARE="1",
        # By the usual 0.95 a worker learns from the first round that such waits are no late ones.
        FOREBAY_HEDGING__PERCENTILE="0.5",
    )


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_text_is_one_calls_however_many_had_begun(
    road: Road, provider: ProviderThread, seed: int
) -> None:
    random = Random(seed)
    for number in range(3):
        await ask(road, f"round {seed} quick {number}")
    questions = [f"round {seed} question {number}." for number in range(12)]
    # On a busy machine late is what the quick ones took; this call is late in any case.
    provider.behave(
        Kind.LATENCY, contains=questions[0], seconds=20 * LATE_SECONDS, text="late", times=1
    )
    for question in questions:
        _script(provider, question, random)
    records = await asyncio.gather(*(ask(road, question) for question in questions))
    again = await asyncio.gather(*(ask(road, question) for question in questions))
    ends = [*records, *again]
    assert {record.state for record in ends} == {ResponseState.COMPLETED}
    for record in ends:
        await _is_one_text(road, record)
    rows = [row for record in records for row in await road.attempts(record)]
    assert {row.error_class for row in rows} >= {"hedged_away", "rejected"}
    assert {record.output_tokens for record in again} == {0}, "all of them from the store"


async def ask(road: Road, question: str) -> MessageRecord:
    """One stream and its end, with what is needed to tell whether it is true."""
    body = {"stream": True, "metadata": {FACTS_KEY: FACTS}}
    record = await road.ended(await road.accept(question, body=body))
    await road.closing_event(record)
    return record


def _script(provider: ProviderThread, question: str, random: Random) -> None:
    """Each call of it has a word of its own, some begin when they are late, some of them lie."""
    for position, word in enumerate(WORDS):
        lies = position < 2 and random.random() < 0.4
        provider.behave(
            Kind.SLOW_DRIP,
            contains=question,
            seconds=random.uniform(0.5, 1.5) * LATE_SECONDS if position < 2 else 0.0,
            every_seconds=0.01,
            text=(FALSE if lies else "") + word * 20,
            times=1,
        )


async def _is_one_text(road: Road, record: MessageRecord) -> None:
    text = record.output_text or ""
    assert len({word for word in WORDS if word.strip() in text}) == 1, text
    heard: list[str] = []
    for _, event in await road.events(record):
        if event["type"] == "response.restarted":
            heard.clear()
        heard.append(event.get("delta", ""))
        assert sum(word.strip() in "".join(heard) for word in WORDS) <= 1, heard
    assert "".join(heard) == text
