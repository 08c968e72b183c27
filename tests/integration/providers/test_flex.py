"""What can wait asks for the flex tier, and is answered at the usual one where that has no room."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from shared.costs.price import ServedTier
from shared.messages.item import MessageItem, Role
from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.attempt import ChainResult
from workers.providers.building import build_chain
from workers.providers.chain import Chain
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections

CLOCK = SystemClock()


@pytest.fixture
def chain(scripted: ScriptedProvider, connections: ProviderConnections) -> Chain:
    settings = ProviderSettings(
        name="first",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=scripted.openai_url,
        model="m",
        flex=True,
    )
    return build_chain([settings], connections, clock=CLOCK)


async def ask(chain: Chain, *, can_wait: bool = True, seconds: float = 86_400) -> ChainResult:
    prompt = Prompt(items=(MessageItem(Role.USER, "x"),), can_wait=can_wait)
    return await chain.answer(prompt, deadline=CLOCK.now() + timedelta(seconds=seconds))


def tier(result: ChainResult) -> ServedTier:
    assert isinstance(result.outcome, Answer)
    return result.outcome.usage.tier


async def test_only_what_can_wait_and_has_time_asks_for_it(
    scripted: ScriptedProvider, chain: Chain
) -> None:
    assert tier(await ask(chain)) is ServedTier.FLEX
    assert tier(await ask(chain, can_wait=False)) is ServedTier.STANDARD
    assert tier(await ask(chain, seconds=500)) is ServedTier.STANDARD
    assert [call.service_tier for call in scripted.calls] == ["flex", None, None]


async def test_without_room_the_same_message_is_asked_at_the_usual_tier(
    scripted: ScriptedProvider, chain: Chain
) -> None:
    scripted.script(Behaviour(kind=Kind.NO_CAPACITY, retry_after_seconds=600), service_tier="flex")
    first, second = await ask(chain), await ask(chain)

    assert [each.error_class for each in first.attempts] == [ErrorClass.RATE_LIMITED, None]
    assert tier(first) is tier(second) is ServedTier.STANDARD
    assert [call.service_tier for call in scripted.calls] == ["flex", None, None]


async def test_a_model_without_that_tier_is_asked_once_for_it(
    scripted: ScriptedProvider, chain: Chain
) -> None:
    said = "Invalid service_tier argument: flex is not available for this model."
    scripted.script(Behaviour(kind=Kind.INVALID_REQUEST, message=said), service_tier="flex")
    assert tier(await ask(chain)) is ServedTier.STANDARD
    await ask(chain)
    assert [call.service_tier for call in scripted.calls] == ["flex", None, None]


async def test_what_was_served_at_another_tier_is_booked_so(
    scripted: ScriptedProvider, chain: Chain
) -> None:
    scripted.script(Behaviour(served_tier="default"))
    assert tier(await ask(chain)) is ServedTier.STANDARD
