"""Questions that are asked with a trace of their own each, and the spans that came of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from shared.acts.answering import HandoffAnswers
from shared.messages.state import ResponseState
from shared.persistence.handoffs import HandoffRepository
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.records import Settlement
from shared.persistence.tenants import TenantRepository
from shared.queueing.producer import Producer
from shared.telemetry.open_tracing import open_tracing
from shared.telemetry.tracing import TraceContext, enter_trace
from tests.integration.workers.road import open_road
from tests.integration.workers.stack import Stack
from tests.servers.collector import Collector, attributes_of

USER = "alice@example.com"
REFUSED_QUESTION = "who refuses our key?"
ANSWERED, STREAMED, FAILED, MALFORMED, QUEUED, LATE, CANCELLED, BY_HAND = (
    f"{number}" * 32 for number in range(1, 9)
)
"""Trace ids, one for each request; the caller's own span is the one of its traceparent."""
CALLER = "b7ad6b7169203331"
VERDICT = {"name": "tone", "value": 4, "scale": {"min": 1, "max": 5}, "comment": "Ask Bob."}
ENDED = (LATE, CANCELLED, BY_HAND)
"""Those that ended outside of any turn."""
_QUESTIONS = {
    ANSWERED: {"input": "What is a forebay?", "user": USER},
    STREAMED: {"input": "What is a forebay for?", "stream": True},
    FAILED: {"input": REFUSED_QUESTION, "conversation": "alice's own name for it"},
    MALFORMED: {"input": 3},
}


@dataclass
class Told:
    """`answers` by the trace ids of what was asked; `conversation` is the first one's."""

    collector: Collector
    answers: dict[str, Any]

    def spans(self, trace: str) -> dict[str, Span]:
        """Of one request, by their names."""
        return {span.name: span for span in self.all_spans(trace)}

    def all_spans(self, trace: str) -> list[Span]:
        return [each for each in self.collector.all_spans if each.trace_id.hex() == trace]

    def attributes(self, trace: str, name: str) -> dict[str, Any]:
        return attributes_of(self.spans(trace)[name])

    def is_whole(self) -> bool:
        """Whether the last span of everything has come."""
        ends = {ANSWERED: "remember", STREAMED: "remember", FAILED: "turn"}
        ends |= dict.fromkeys((*ends, QUEUED), "turn") | dict.fromkeys(ENDED, "end")
        if "feedback" not in self.spans(ANSWERED):
            return False
        return all(end in self.spans(trace) for trace, end in ends.items()) and bool(
            self.spans(MALFORMED)
        )


async def ask_everything(url: str, key: str) -> dict[str, Any]:
    """Each question once, waited for; the answer's JSON, or the text of the stream."""
    answers: dict[str, Any] = {}
    async with aiohttp.ClientSession(
        base_url=url, headers={"authorization": f"Bearer {key}"}
    ) as session:
        async with session.post("/v1/conversations", json={}) as made:
            conversation = (await made.json())["id"]
        for trace, question in _QUESTIONS.items():
            body = {"conversation": conversation, **question} if trace == ANSWERED else question
            carried = {"traceparent": f"00-{trace}-{CALLER}-01"}
            async with session.post("/v1/responses", json=body, headers=carried) as answer:
                is_stream = answer.content_type == "text/event-stream"
                answers[trace] = await (answer.text() if is_stream else answer.json())
        path = f"/v1/responses/{answers[ANSWERED]['id']}/feedback"
        async with session.post(path, json=VERDICT) as answer:
            assert answer.status == 200
    return answers | {"conversation": conversation}


async def ask_over_the_queue(broker_url: str, key: str) -> dict[str, Any]:
    """One message straight to the intake queue, as a producer in the middle of a trace posts it."""

    def ask() -> dict[str, Any]:
        previous = enter_trace(TraceContext(f"00-{QUEUED}-{CALLER}-01"))
        try:
            with Producer(broker_url, key) as producer:
                return producer.ask("What of the queue?", user=USER)
        finally:
            enter_trace(previous)

    return {QUEUED: await asyncio.to_thread(ask)}


async def die_in_the_queue(stack: Stack) -> None:
    """A message whose deadline has passed when somebody looks at it first."""
    async with open_road(stack) as road:
        carried = f"00-{LATE}-{CALLER}-01"
        late = await road.accept("too late?", wake=False, seconds=-1, traceparent=carried)
        await road.until(late, ResponseState.FAILED)


async def cancel_twice(stack: Stack, url: str, key: str) -> None:
    """One that nobody has begun is cancelled by its caller, who then does so again."""
    async with open_road(stack) as road:
        owner = await TenantRepository(road.database, road.clock).named("acme")
        assert owner is not None
        carried = f"00-{CANCELLED}-{CALLER}-01"
        record = await road.accept("?", wake=False, traceparent=carried, tenant_id=owner.id)
        path = f"{url}/v1/responses/{record.id}/cancel"
        async with aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as session:
            for _ in range(2):
                async with session.post(path) as answer:
                    assert (await answer.json())["status"] == "cancelled"


async def answer_by_hand(stack: Stack) -> None:
    """A person answers one, as the console and the command do it."""
    async with open_road(stack) as road:
        carried = f"00-{BY_HAND}-{CALLER}-01"
        record = await road.accept("Who knows?", wake=False, traceparent=carried, user_id=USER)
        claims = ClaimGroup(road.database, road.clock, worker="w", lease_seconds=60)
        await claims.flush([record.id])
        ending = Settlement(
            message_id=record.id,
            tenant_id=record.tenant_id,
            attempt=1,
            state=ResponseState.REQUIRES_ACTION,
            finished_at=road.clock.now(),
            handoff_reason="asked",
        )
        assert await road.ledger.settle(ending)
        (waiting,) = await HandoffRepository(road.database, road.clock).list()
        tracing = open_tracing(stack.settings.telemetry, "console")
        answers = HandoffAnswers(road.database, stack.settings.redis, road.clock, tracing)
        await answers.answer(waiting.id, text="I do.", answered_by="ann")
        await tracing.close()
