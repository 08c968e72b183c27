"""Providers that refuse our key are seen: in the log, by the command, and in Celery's own words."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from celery import Celery
from kombu import Connection
from redis import Redis

from deploy.cli.__main__ import DONE, run
from deploy.scripted_provider.behaviour import Kind
from shared.clock import SystemClock
from shared.messages.state import ResponseState
from shared.queueing.celery_app import build_celery_app
from shared.queueing.topology import QueueName
from shared.redis.breaker_fleet import BreakerFleet
from shared.redis.client import open_redis
from shared.redis.outbound_limits import OutboundLimit, OutboundLimits
from shared.settings.resilience import BreakerSettings
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import eventually, open_road
from tests.integration.workers.stack import Stack, openai_link

QUESTION = "who refuses our key?"
MESSAGES = 3


@pytest.fixture
def refusing(
    broker_url: str, redis_url: str, migrated_sqlite_url: str, provider: ProviderThread
) -> Stack:
    provider.reset()
    provider.behave(Kind.UNAUTHORISED, contains=QUESTION)
    return Stack(
        broker_url=broker_url,
        redis_url=redis_url,
        ledger_url=migrated_sqlite_url,
        providers=[openai_link(provider.url, "first"), openai_link(provider.url, "second")],
    )


@pytest.fixture
def celery_ends(refusing: Stack) -> list[str]:
    """How tasks end, as Flower hears of it; no more than are sent."""
    app = build_celery_app(refusing.settings, name="workers")
    ends: list[str] = []
    threading.Thread(target=_listen, args=(app, ends), daemon=True).start()
    return ends


def _listen(app: Celery, ends: list[str]) -> None:
    kinds = ("succeeded", "failed", "retried", "rejected")
    with app.connection_for_read() as connection, suppress(TimeoutError):
        handlers = {f"task-{kind}": lambda event: ends.append(event["type"]) for kind in kinds}
        receiver = app.events.Receiver(connection, handlers=handlers)
        for _ in receiver.itercapture(limit=None, timeout=10, wakeup=False):
            if len(ends) == MESSAGES:
                return


async def test_a_failed_message_is_a_failed_task_that_is_not_delivered_again(
    refusing: Stack, celery_ends: list[str], start_worker: Callable[..., AgentWorker]
) -> None:
    worker = start_worker(refusing)
    async with open_road(refusing) as road:
        for _ in range(MESSAGES):
            ended = await road.ended(await road.accept(QUESTION))
            assert (ended.state, ended.attempt) == (ResponseState.FAILED, 1)

        async def heard() -> bool:
            return len(celery_ends) >= MESSAGES

        await eventually(heard, "an event for each")
    assert celery_ends == ["task-failed"] * MESSAGES
    worker.kill()  # what it had not acknowledged would be back in the queue now
    assert await asyncio.to_thread(_waiting, refusing.broker_url) == 0
    lines = [json.loads(line) for line in worker.log.splitlines() if '"provider_fails"' in line]
    seen = sorted((each["provider"], each["error_class"], each["status"]) for each in lines)
    assert seen == [("first", "unauthorised", 401), ("second", "unauthorised", 401)]


@pytest.mark.parametrize("broker_url", ["redis"], indirect=True)
async def test_the_command_shows_who_fails_and_by_what(
    refusing: Stack,
    start_worker: Callable[..., AgentWorker],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_worker(refusing)
    async with open_road(refusing) as road:
        await road.ended(await road.accept(QUESTION))
        await road.ended(await road.accept("and who takes it?"))
    await _spare(refusing, "second/scripted")
    monkeypatch.chdir(tmp_path)
    for name, value in refusing.environment.items():
        monkeypatch.setenv(name, value)
    assert await asyncio.to_thread(run, ["providers", "--json"]) == DONE
    first, second = json.loads(capsys.readouterr().out)
    assert (first["name"], first["attempts"], first["taken"]) == ("first/scripted", 2, 1)
    assert first["classes"] == second["classes"] == {"unauthorised": 1}
    assert first["last_error_class"] == "unauthorised"
    assert second["breaker"] == "open"
    assert 20 < second["cooling_seconds"] <= 30
    assert await asyncio.to_thread(run, ["providers"]) == DONE
    assert "1 unauthorised; last at" in capsys.readouterr().out


async def _spare(stack: Stack, name: str) -> None:
    """What five failures and a 429 leave in Redis."""
    redis, clock = open_redis(stack.settings.redis), SystemClock()
    fleet, limits = BreakerFleet(redis, BreakerSettings(), clock), OutboundLimits(redis, clock)
    await fleet.report(name, outcomes="fffff")
    limits.cool(OutboundLimit(name=name), seconds=30)
    await fleet.close()
    await limits.close()
    await redis.aclose()


def _waiting(broker_url: str) -> int:
    """Wake-ups in the queue and, on Redis, those that were delivered and not acknowledged."""
    queue = QueueName.STANDARD.value
    if broker_url.startswith("redis"):
        with Redis.from_url(broker_url) as redis:
            return int(redis.llen(queue)) + int(redis.hlen("unacked"))
    with Connection(broker_url) as connection:
        declared = connection.default_channel.queue_declare(queue, passive=True)
        return int(declared.message_count)
