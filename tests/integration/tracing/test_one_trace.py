"""One trace from the producer over the door and the queue to the provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp

from deploy.scripted_provider.provider import ScriptedProvider
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.collector import running_collector

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
ROAD = ("POST /v1/responses", "turn", "recall", "answer", "chat scripted", "remember")


async def test_a_producers_trace_reaches_the_provider(
    amqp_url: str, redis_url: str, migrated_sqlite_url: str, tmp_path: Path
) -> None:
    async with running_collector() as (collector, endpoint), ScriptedProvider() as provider:
        stack = Stack(
            broker_url=amqp_url,
            redis_url=redis_url,
            ledger_url=migrated_sqlite_url,
            providers=[openai_link(provider.openai_url)],
            extra={
                "FOREBAY_TELEMETRY__TRACES_ENDPOINT": endpoint,
                "OTEL_BSP_SCHEDULE_DELAY": "200",  # ms, of a batch; usually five seconds
            },
        )
        key = await new_key(stack.settings.ledger)
        worker = await asyncio.to_thread(AgentWorker(stack, tmp_path).start)
        door = await asyncio.to_thread(RunningDoor(stack.settings).start)
        try:
            await _ask(door.url, key)
        finally:
            await asyncio.to_thread(door.close)
        await _until(lambda: set(ROAD) <= set(collector.spans))
        worker.kill()
    spans = collector.spans
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE_ID}
    assert spans["turn"].parent_span_id == spans["POST /v1/responses"].span_id
    assert spans["answer"].parent_span_id == spans["turn"].span_id
    assert spans["chat scripted"].parent_span_id == spans["answer"].span_id
    assert "What is a forebay" not in str(collector.exports)


async def _ask(url: str, key: str) -> None:
    headers = {"authorization": f"Bearer {key}", "traceparent": TRACEPARENT}
    body = {"input": "What is a forebay?"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/responses", json=body, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        assert (await answer.json())["status"] == "completed"


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - the spans come from another process
            await asyncio.sleep(0.05)
