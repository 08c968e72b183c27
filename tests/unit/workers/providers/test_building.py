"""From settings to a chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.errors import SettingsError
from shared.messages.item import MessageItem, Role
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.secret import Secret
from workers.providers.attempt import ChainResult
from workers.providers.building import PROVIDER_TYPES, build_chain
from workers.providers.handoff import HandoffProvider
from workers.providers.openai_compatible import ChatCompletions
from workers.providers.outcome import Answer, HandedOff
from workers.providers.provider import Prompt
from workers.providers.rules import RulesProvider
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.http_model import HttpApi, HttpModel


@pytest.fixture
async def connections() -> AsyncIterator[ProviderConnections]:
    async with ProviderConnections() as connections:
        yield connections


async def ask_built_in(connections: ProviderConnections, text: str) -> ChainResult:
    clock = SystemClock()
    prompt = Prompt(items=(MessageItem(Role.USER, text),))
    return await build_chain((), connections, clock=clock).answer(
        prompt, deadline=clock.now() + timedelta(seconds=60)
    )


async def test_the_chain_has_the_order_of_the_settings(
    connections: ProviderConnections, tmp_path: Path
) -> None:
    rules_file = tmp_path / "rules.toml"
    rules_file.write_text('[default]\nanswer = "x"')
    chain = build_chain(
        [
            ProviderSettings(
                name="first",
                kind=ProviderKind.OPENAI_COMPATIBLE,
                base_url="http://127.0.0.1:1/v1",
                model="small",
                models=("large",),
                api_key=Secret("sk"),
                max_tries=2,
            ),
            ProviderSettings(
                name="second",
                kind=ProviderKind.ANTHROPIC,
                base_url="http://127.0.0.1:1",
                models=("claude",),
            ),
            ProviderSettings(
                name="third",
                kind=ProviderKind.LOCAL,
                base_url="http://127.0.0.1:1/v1",
                model="tiny",
            ),
            ProviderSettings(name="fourth", kind=ProviderKind.RULES, rules_file=str(rules_file)),
            ProviderSettings(name="fifth", kind=ProviderKind.HANDOFF),
        ],
        connections,
        clock=SystemClock(),
    )

    providers = [link.provider for link in chain.links]
    assert [provider.name for provider in providers] == [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
    ]
    assert [type(provider) for provider in providers] == [
        HttpModel,
        HttpModel,
        HttpModel,
        RulesProvider,
        HandoffProvider,
    ]
    assert [provider.model_for("large") for provider in providers[:2]] == ["large", "claude"]
    assert providers[0].model_for("auto") == "small"
    assert chain.links[0].retry.max_tries == 2


@pytest.mark.parametrize("kind", ProviderKind)
def test_every_kind_that_settings_may_name_is_in_the_table(kind: ProviderKind) -> None:
    assert PROVIDER_TYPES[kind].kind is kind


@pytest.mark.parametrize(
    ("settings", "finding"),
    [
        (
            ProviderSettings(name="p", kind=ProviderKind.OPENAI_COMPATIBLE, model="m"),
            "'p' needs base_url",
        ),
        (
            ProviderSettings(name="p", kind=ProviderKind.ANTHROPIC, base_url="http://h"),
            "'p' needs model",
        ),
        (ProviderSettings(name="p", kind=ProviderKind.RULES), "'p' needs rules_file"),
        (
            ProviderSettings(
                name="p", kind=ProviderKind.ANTHROPIC, model="m", base_url="http://h:port"
            ),
            "'p' has base_url = 'http://h:port'",
        ),
    ],
)
async def test_a_provider_that_lacks_a_setting_is_named(
    connections: ProviderConnections, settings: ProviderSettings, finding: str
) -> None:
    with pytest.raises(SettingsError, match=finding):
        build_chain([settings], connections, clock=SystemClock())


@pytest.mark.parametrize(
    ("base_url", "model", "asked_at"),
    [
        (
            "http://bücher.example/a b",
            "m",
            "http://xn--bcher-kva.example/a%20b/openai/deployments/m",
        ),
        ("http://h", "a/b c%", "http://h/openai/deployments/a%2Fb%20c%25"),
    ],
)
def test_an_address_is_encoded_once(base_url: str, model: str, asked_at: str) -> None:
    api = HttpApi(wire=ChatCompletions.of, root="/openai", path="/deployments/{model}")
    settings = ProviderSettings(
        name="p", kind=ProviderKind.AZURE_OPENAI, base_url=base_url, model=model
    )
    assert str(api.url(settings, model)) == asked_at


async def test_without_settings_built_in_rules_answer_and_say_so(
    connections: ProviderConnections,
) -> None:
    result = await ask_built_in(connections, "Hello there")

    assert isinstance(result.outcome, Answer)
    assert "No language model is connected" in result.outcome.text


async def test_without_settings_a_human_gets_what_no_rule_fits(
    connections: ProviderConnections,
) -> None:
    result = await ask_built_in(connections, "What is the capital of Peru?")

    assert isinstance(result.outcome, HandedOff)
    assert "hand_1" in result.outcome.apology_for("hand_1")
