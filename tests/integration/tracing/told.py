"""Questions that are asked with a trace of their own each, and the spans that came of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from shared.messages.state import ResponseState
from shared.queueing.producer import Producer
from shared.telemetry.tracing import TraceContext, enter_trace
from tests.integration.workers.road import open_road
from tests.integration.workers.stack import Stack
from tests.servers.collector import Collector, attributes_of

USER = "alice@example.com"
REFUSED_QUESTION = "who refuses our key?"
ANSWERED, STREAMED, FAILED, MALFORMED, QUEUED, LATE = (f"{number}" * 32 for number in range(1, 7))
"""Trace ids, one for each request; the caller's own span is the one of its traceparent."""
CALLER = "b7ad6b7169203331"
VERDICT = {"name": "tone", "value": 4, "scale": {"min": 1, "max": 5}, "comment": "Ask Bob."}
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
        return {
            span.name: span for span in self.collector.all_spans if span.trace_id.hex() == trace
        }

    def attributes(self, trace: str, name: str) -> dict[str, Any]:
        return attributes_of(self.spans(trace)[name])

    def is_whole(self) -> bool:
        """Whether the last span of everything has come."""
        ends = {ANSWERED: "remember", STREAMED: "remember", FAILED: "turn"}
        ends |= dict.fromkeys((*ends, QUEUED), "turn") | {LATE: "end"}
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
