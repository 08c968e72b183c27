"""The whole road with nothing standing in: client, door, ledger, queue, worker, provider, reply."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import openai
import pytest

from tests.integration.ingress.conftest import patient, settings_for
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.patience import PatientSettings
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.pgbouncer import PgbouncerServer
from tests.servers.postgres import PostgresServer

SESSIONS = 6
"""Fewer than a door and a worker have connections."""


@pytest.fixture
def sessions(postgres: PostgresServer, migrated_postgres_url: str) -> Iterator[PgbouncerServer]:
    """A pgbouncer with three sessions for everybody, and a role with what Forebay asks for."""
    role = f"role_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE ROLE {role} LOGIN SUPERUSER")
    for setting in ("synchronous_commit = on", "plan_cache_mode = force_custom_plan"):
        postgres.execute(f"ALTER ROLE {role} SET {setting}")
    with PgbouncerServer(postgres, user=role, ignores_options=True, most=SESSIONS) as pooler:
        yield pooler
    postgres.execute(f"DROP ROLE {role}")


@pytest.fixture(params=["direct", "pooled"])
def ledger_url(request: pytest.FixtureRequest, migrated_postgres_url: str) -> str:
    """Postgres, or pgbouncer before it, which pools by transaction."""
    if request.param == "direct":
        return migrated_postgres_url
    pooler: PgbouncerServer = request.getfixturevalue("sessions")
    return pooler.database_url(migrated_postgres_url.rpartition("/")[2])


@pytest.fixture
def stack(amqp_url: str, redis_url: str, ledger_url: str) -> Iterator[Stack]:
    """RabbitMQ, Redis, Postgres, and one scripted provider."""
    with ProviderThread() as provider:
        yield Stack(
            broker_url=amqp_url,
            redis_url=redis_url,
            ledger_url=ledger_url,
            providers=[openai_link(provider.url, "first")],
        )


@pytest.fixture
async def real_client(
    stack: Stack, tmp_path: Path, patience: PatientSettings
) -> AsyncIterator[openai.AsyncOpenAI]:
    settings = patient(settings_for(stack.ledger_url, stack.redis_url, stack.broker_url))
    key = await new_key(settings.ledger)
    with RunningDoor(settings) as door:
        worker = await asyncio.to_thread(AgentWorker(stack, tmp_path).start)
        async with openai.AsyncOpenAI(
            api_key=key, base_url=f"{door.url}/v1", max_retries=0, timeout=60
        ) as client:
            yield client
        worker.kill()


async def test_a_message_travels_the_whole_road_in_every_manner(
    real_client: openai.AsyncOpenAI,
) -> None:
    waited = await real_client.responses.create(model="auto", input="Hello")
    assert waited.status == "completed"
    assert waited.output_text
    streamed = [one async for one in await real_client.responses.create(input="Hi", stream=True)]
    assert streamed[-1].type == "response.completed"
    assert [event.sequence_number for event in streamed] == list(range(len(streamed)))
    asked = [{"role": "user", "content": "Hello"}]
    chat = await real_client.chat.completions.create(model="auto", messages=asked)
    assert chat.choices[0].message.content
    stream = await real_client.chat.completions.create(model="auto", messages=asked, stream=True)
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices[0].finish_reason == "stop"
    queued = await real_client.responses.create(
        input="And then?", background=True, previous_response_id=waited.id
    )
    polled = await real_client.responses.retrieve(queued.id, extra_headers={"Prefer": "wait=20"})
    assert polled.status == "completed"
