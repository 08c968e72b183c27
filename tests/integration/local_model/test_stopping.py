"""A whole answer that nobody wants any more stops as a stream does: its slot is free at once.

How soon is told by what was written of it, which a busy machine does not change.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.clock import SystemClock
from shared.messages.item import MessageItem, Role
from shared.settings.providers import ProviderKind, ProviderSettings
from tests.integration.local_model.running_model import RunningModel
from workers.providers.attempt import Attempt, ChainExhaustedError
from workers.providers.building import build_chain
from workers.providers.chain import Chain
from workers.providers.error_class import ErrorClass
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections

TOKENS = 450
AT_MOST = TOKENS // 2
"""What a model may write until it hears that nobody listens; about a second."""
LONG_STORY = Prompt(
    items=(MessageItem(Role.USER, "Write a long story."),),
    max_output_tokens=TOKENS,
    extra={"ignore_eos": True},
)


@pytest.fixture
def chain(model: RunningModel, connections: ProviderConnections) -> Chain:
    """llama.cpp as any server that speaks OpenAI's chat completions."""
    settings = ProviderSettings(
        name="llama",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=model.base_url,
        model="smollm2",
        max_tries=1,
    )
    return build_chain((settings,), connections, clock=SystemClock())


async def test_a_cancelled_message_frees_its_slot_at_once(
    chain: Chain, model: RunningModel
) -> None:
    booked: list[Attempt] = []
    deadline = SystemClock().now() + timedelta(seconds=60)
    before = model.tokens_written
    asking = asyncio.create_task(
        chain.answer(LONG_STORY, deadline=deadline, on_called=booked.extend)
    )
    await asyncio.to_thread(model.wait_until, answers_under_way=1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await asyncio.to_thread(model.wait_until, answers_under_way=0)
    assert model.tokens_written - before < AT_MOST
    (attempt,) = booked
    assert attempt.error_class is ErrorClass.ABANDONED
    assert attempt.usage is not None


async def test_a_deadline_frees_its_slot_at_once(chain: Chain, model: RunningModel) -> None:
    deadline = SystemClock().now() + timedelta(seconds=1)
    before = model.tokens_written
    with pytest.raises(ChainExhaustedError) as caught:
        await chain.answer(LONG_STORY, deadline=deadline)
    await asyncio.to_thread(model.wait_until, answers_under_way=0)
    assert model.tokens_written - before < AT_MOST
    (attempt,) = caught.value.attempts
    assert attempt.error_class is ErrorClass.TIMEOUT
    assert attempt.usage is not None, "what was sent is paid for"
