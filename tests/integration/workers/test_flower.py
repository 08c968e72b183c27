"""What Flower, the real one, shows of a message: green only where it was answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.messages.state import ResponseState
from tests.integration.conftest import OneMachine
from tests.integration.queueing.conftest import eventually
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.flower import FlowerServer

QUESTION = "who refuses our key?"


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    built = one_machine(openai_link(provider.url))
    provider.behave(Kind.UNAUTHORISED, contains=QUESTION)
    return built


@pytest.fixture(scope="module")
def flower(stack: Stack, worker: AgentWorker) -> Iterator[FlowerServer]:
    with FlowerServer(stack.environment) as server:
        yield server


async def shown(flower: FlowerServer, message_id: str, state: str) -> None:
    """Returns once Flower shows the message's task in that state."""

    def is_shown() -> bool:
        return flower.tasks().get(message_id, {}).get("state") == state

    await eventually(is_shown)


async def test_an_answered_message_is_green_and_a_dead_letter_is_red(
    road: Road, flower: FlowerServer
) -> None:
    answered, failed = await road.accept("and who takes it?"), await road.accept(QUESTION)
    await shown(flower, answered.id, "SUCCESS")
    await shown(flower, failed.id, "FAILURE")
    assert failed.id in flower.tasks()[failed.id]["exception"]


async def test_a_wake_up_that_comes_again_leaves_a_failed_message_red(
    road: Road, flower: FlowerServer
) -> None:
    failed = await road.accept(QUESTION)
    await shown(flower, failed.id, "FAILURE")
    first = flower.tasks()[failed.id]["received"]
    road.wake(failed)
    await eventually(lambda: flower.tasks()[failed.id]["received"] != first)
    after = await road.accept("and who comes last?")
    await shown(flower, after.id, "SUCCESS")
    assert flower.tasks()[failed.id]["state"] == "FAILURE"


async def test_a_message_that_died_in_the_queue_is_red_when_its_wake_up_comes(
    road: Road, flower: FlowerServer
) -> None:
    late = await road.accept("too late?", wake=False, seconds=-1)
    await road.until(late, ResponseState.FAILED)
    road.wake(late)
    await shown(flower, late.id, "FAILURE")
