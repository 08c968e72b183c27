"""Providers that refuse our key are seen: in the log, by the command, and in Celery's own words."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from deploy.cli.__main__ import DONE, run
from deploy.scripted_provider.behaviour import Kind
from shared.breakers.fleet import BreakerFleet
from shared.clock import SystemClock
from shared.messages.state import ResponseState
from shared.queueing.topology import QueueName
from shared.redis.client import open_redis
from tests.integration.conftest import OneMachine
from tests.integration.queueing.conftest import eventually
from tests.integration.servers.worker_events import WorkerEvents
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.rabbitmq import RabbitServer
from workers.providers.limiting.outbound_limits import OutboundLimit, OutboundLimits

QUESTION = "who refuses our key?"
MESSAGES = 3


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def stack(
    request: pytest.FixtureRequest,
    provider: ProviderThread,
    one_machine: OneMachine,
) -> Stack:
    """Three providers, all of which refuse the key that the question comes with.

    A breaker that is open stays it for longer than a busy machine takes for a command.
    """
    links = [openai_link(provider.url, name) for name in ("first", "second", "spare")]
    on_redis = one_machine(*links, FOREBAY_BREAKERS__OPEN_SECONDS="600")
    provider.behave(Kind.UNAUTHORISED, contains=QUESTION)
    if request.param == "redis":
        return on_redis
    rabbitmq: RabbitServer = request.getfixturevalue("rabbitmq")
    return replace(on_redis, broker_url=rabbitmq.vhost_url(rabbitmq.create_vhost()))


async def test_the_command_shows_who_fails_and_by_what(
    stack: Stack,
    road: Road,
    worker: AgentWorker,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await road.ended(await road.accept(QUESTION))
    await road.ended(await road.accept("and who takes it?"))
    await _spare(stack, "spare/scripted")
    monkeypatch.chdir(tmp_path)
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    assert await asyncio.to_thread(run, ["providers", "--json"]) == DONE
    first, *others = json.loads(capsys.readouterr().out)
    assert (first["name"], first["attempts"], first["taken"]) == ("first/scripted", 2, 1)
    assert [each["classes"] for each in (first, *others)] == [{"unauthorised": 1}] * 3
    assert first["last_error_class"] == "unauthorised"
    assert others[1]["breaker"] == "open"
    assert 300 < others[1]["cooling_seconds"] <= 600
    assert await asyncio.to_thread(run, ["providers"]) == DONE
    assert "1 unauthorised; last at" in capsys.readouterr().out


async def test_a_failed_message_is_a_failed_task_that_is_not_delivered_again(
    request: pytest.FixtureRequest, stack: Stack, road: Road, worker: AgentWorker
) -> None:
    with WorkerEvents(stack) as events:
        for _ in range(MESSAGES):
            ended = await road.ended(await road.accept(QUESTION))
            assert (ended.state, ended.attempt) == (ResponseState.FAILED, 1)
        assert await asyncio.to_thread(events.ends, MESSAGES) == ["task-failed"] * MESSAGES
    is_redis = stack.settings.broker.is_redis
    rabbitmq = None if is_redis else request.getfixturevalue("rabbitmq")
    # Also what is out and not acknowledged, and would come again.
    await eventually(lambda: _unsettled(rabbitmq, stack.broker_url) == 0)
    lines = [json.loads(line) for line in worker.log.splitlines() if '"provider_fails"' in line]
    seen = sorted((each["provider"], each["error_class"], each["status"]) for each in lines)
    assert seen == [(name, "unauthorised", 401) for name in ("first", "second", "spare")]


async def _spare(stack: Stack, name: str) -> None:
    """What five failures and a 429 leave in Redis."""
    redis, clock = open_redis(stack.settings.redis), SystemClock()
    fleet, limits = (
        BreakerFleet(redis, stack.settings.breakers, clock),
        OutboundLimits(redis, clock),
    )
    await fleet.report(name, outcomes="fffff")
    limits.cool(OutboundLimit(name=name), seconds=600)
    await fleet.close()
    await limits.close()
    await redis.aclose()


def _unsettled(rabbitmq: RabbitServer | None, broker_url: str) -> int:
    """Wake-ups in the queue and those that were delivered and not acknowledged."""
    queue = QueueName.STANDARD.value
    if rabbitmq is not None:
        return rabbitmq.unsettled(broker_url, queue)
    with Redis.from_url(broker_url) as redis, redis.pipeline(transaction=True) as both:
        return sum(both.llen(queue).hlen("unacked").execute())
