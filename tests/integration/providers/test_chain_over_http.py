"""A chain of real adapters: an outage costs a slower or simpler answer, not an error."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from tests.integration.providers.asking import ECHO, http_model, prompt
from tests.servers.ports import free_port
from workers.providers.attempt import ChainResult
from workers.providers.chain import Chain, ChainLink
from workers.providers.error_class import ErrorClass
from workers.providers.handoff import HandoffProvider
from workers.providers.outcome import Answer, HandedOff
from workers.providers.provider import Provider
from workers.providers.rules import BUILT_IN_RULES, RulesProvider
from workers.providers.walking.link import RetryPolicy
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.timeouts import Timeouts


class Asked:
    """A chain of four on a server that the test scripts, and what its caller heard."""

    def __init__(self, connections: ProviderConnections, *, openai_url: str, url: str) -> None:
        # Those who are asked live in this loop, so a silence of half a second is a stall.
        quick = RetryPolicy(first_backoff_seconds=0.01)
        timeouts = Timeouts(first_token_seconds=3, idle_seconds=0.5, total_seconds=5)
        providers: list[Provider] = [
            http_model(connections, openai_url, name="first", model="gpt", timeouts=timeouts),
            http_model(
                connections, url, wire="anthropic", name="second", model="claude", timeouts=timeouts
            ),
            RulesProvider.from_file(BUILT_IN_RULES, name="rules"),
            HandoffProvider(name="handoff"),
        ]
        links = [ChainLink(provider=provider, retry=quick) for provider in providers]
        self._clock = SystemClock()
        self._chain = Chain(links, clock=self._clock, random=Random(1))
        self.heard = ""
        self.restarts = 0

    async def answer(self, text: str | None = None) -> ChainResult:
        return await self._chain.answer(
            prompt(text) if text else prompt(),
            deadline=self._clock.now() + timedelta(seconds=30),
            on_delta=self._hear,
            on_restart=self._restart,
        )

    async def _hear(self, piece: str) -> None:
        self.heard += piece

    async def _restart(self) -> None:
        self.heard = ""
        self.restarts += 1


@pytest.fixture
def asked(scripted: ScriptedProvider, connections: ProviderConnections) -> Asked:
    return Asked(connections, openai_url=scripted.openai_url, url=scripted.url)


async def test_an_outage_of_one_provider_is_answered_by_the_next(
    scripted: ScriptedProvider, asked: Asked
) -> None:
    scripted.script(Behaviour(kind=Kind.SERVER_ERROR, status=503), model="gpt")

    result = await asked.answer()

    assert isinstance(result.outcome, Answer)
    assert (result.provider, result.outcome.text, asked.heard) == ("second", ECHO, ECHO)
    assert scripted.calls.by_model == {"gpt": 3, "claude": 1}


@pytest.mark.parametrize("kind", [Kind.CUT_STREAM, Kind.STALL, Kind.ERROR_IN_STREAM])
async def test_a_stream_that_breaks_in_the_middle_is_restarted_aloud(
    scripted: ScriptedProvider, asked: Asked, kind: Kind
) -> None:
    scripted.script(Behaviour(kind=kind, after_tokens=3, times=1))

    result = await asked.answer()

    assert (result.provider, asked.heard, asked.restarts) == ("first", ECHO, 1)
    assert len(result.attempts) == 2


async def test_a_refused_key_costs_one_call(scripted: ScriptedProvider, asked: Asked) -> None:
    scripted.script(Behaviour(kind=Kind.UNAUTHORISED), model="gpt")

    await asked.answer()

    assert scripted.calls.by_model == {"gpt": 1, "claude": 1}


async def test_when_all_models_are_down_rules_answer_or_a_human_does(
    connections: ProviderConnections,
) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    asked = Asked(connections, openai_url=f"{dead}/v1", url=dead)

    greeting = await asked.answer("Hello")
    assert greeting.provider == "rules"
    assert [each.error_class for each in greeting.attempts] == [ErrorClass.CONNECTION] * 6 + [None]

    question = await asked.answer()
    assert isinstance(question.outcome, HandedOff)
