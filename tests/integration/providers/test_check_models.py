"""`forebay check --providers`: one call of each model, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.cli.check.command import check
from deploy.cli.check.finding import Level
from deploy.cli.check.models import ask_models
from deploy.cli.check.providers import check_providers
from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.settings.deployment import DeploymentSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.ports import free_port

NO_MODEL = '{"error":{"message":"The model `m` does not exist.","code":"model_not_found"}}'
POOR = '{"error":{"message":"Your credit balance is too low."}}'


def settings(kind: ProviderKind, url: str, **more: object) -> ProviderSettings:
    return ProviderSettings(name="one", kind=kind, base_url=url, model="m", **more)  # type: ignore[arg-type]


def of(scripted: ScriptedProvider, kind: ProviderKind) -> ProviderSettings:
    is_openai = kind is ProviderKind.OPENAI_COMPATIBLE
    return settings(kind, scripted.openai_url if is_openai else scripted.url)


KINDS = [ProviderKind.OPENAI_COMPATIBLE, ProviderKind.ANTHROPIC]
WRONG = {
    "key": (Behaviour(kind=Kind.UNAUTHORISED), Level.FAULT, "api_key_env"),
    "model": (Behaviour(kind=Kind.RAW, status=404, text=NO_MODEL), Level.FAULT, "its model"),
    "account": (Behaviour(kind=Kind.RAW, status=400, text=POOR), Level.FAULT, "payment"),
    "address": (
        Behaviour(kind=Kind.RAW, status=200, text="<html>It works!</html>"),
        Level.FAULT,
        "base_url",
    ),
    "nothing": (Behaviour(), Level.FINE, "answers"),
    "load": (Behaviour(kind=Kind.RATE_LIMITED), Level.HINT, "later"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("behave", "level", "word"), WRONG.values(), ids=WRONG)
async def test_one_call_says_what_is_wrong(
    scripted: ScriptedProvider, kind: ProviderKind, behave: Behaviour, level: Level, word: str
) -> None:
    scripted.script(behave)

    (finding,) = await ask_models((of(scripted, kind),))

    assert finding.level is level
    assert word in finding.sentence
    assert "<html" not in finding.sentence
    assert scripted.calls.count == 1
    (call,) = scripted.calls
    assert call.model == "m"


@pytest.mark.parametrize("url", ["http://", "127.0.0.1:8000/v1"], ids=["no host", "no scheme"])
async def test_an_address_that_is_none_is_named(url: str) -> None:
    (finding,) = await ask_models((settings(ProviderKind.OPENAI_COMPATIBLE, url),))

    assert finding.level is Level.FAULT
    assert "base_url" in finding.sentence


@pytest.mark.parametrize("kind", [*KINDS, ProviderKind.LOCAL])
async def test_a_provider_that_is_away_keeps_nothing_from_starting(kind: ProviderKind) -> None:
    (finding,) = await ask_models((settings(kind, f"http://127.0.0.1:{free_port()}/v1"),))

    assert finding.level is Level.HINT
    assert "Start it or mend its base_url" in finding.sentence


async def test_a_provider_that_does_not_answer_in_time_keeps_nothing_from_starting(
    scripted: ScriptedProvider,
) -> None:
    scripted.script(Behaviour(kind=Kind.HANG))
    impatient = settings(
        ProviderKind.OPENAI_COMPATIBLE, scripted.openai_url, first_token_timeout_seconds=0.2
    )

    (finding,) = await ask_models((impatient,))

    assert finding.level is Level.HINT
    assert "later" in finding.sentence


async def test_every_model_is_asked_by_its_own_name(scripted: ScriptedProvider) -> None:
    one = settings(
        ProviderKind.OPENAI_COMPATIBLE, scripted.openai_url, small_model="s", models=("auto",)
    )

    findings = await ask_models((one,))

    assert [call.model for call in scripted.calls] == ["auto", "m", "s"]
    assert [finding.level for finding in findings] == [Level.FINE] * 3


async def test_each_deployment_is_asked(scripted: ScriptedProvider) -> None:
    well = DeploymentSettings(name="well", base_url=scripted.openai_url)
    away = DeploymentSettings(name="away", base_url=f"http://127.0.0.1:{free_port()}/v1")
    one = ProviderSettings(
        name="one", kind=ProviderKind.OPENAI_COMPATIBLE, model="m", deployments=(well, away)
    )

    asked, reached = await ask_models((one,)), await check_providers((one,))

    for findings in (asked, reached):
        assert [each.level for each in findings] == [Level.FINE, Level.HINT]
        assert [each.sentence.split("'")[1] for each in findings] == ["one@well", "one@away"]


async def test_a_plain_check_calls_no_model(scripted: ScriptedProvider) -> None:
    for kind in KINDS:
        (finding,) = await check_providers((of(scripted, kind),))
        assert finding.level is Level.FINE
    assert scripted.calls.count == 0


def test_a_migration_calls_no_model(
    provider: ProviderThread,
    redis_url: str,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    stack = Stack(
        broker_url=redis_url,
        redis_url=redis_url,
        ledger_url=sqlite_url,
        providers=[openai_link(provider.url)],
    )
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)

    assert check(migrate=True, as_json=True) == 0
    assert provider.calls("") == []
    assert check(providers=True, as_json=True) == 0
    assert len(provider.calls("")) == 1, "which it would have seen"


async def test_a_local_model_is_asked_too(scripted: ScriptedProvider) -> None:
    (finding,) = await ask_models((settings(ProviderKind.LOCAL, scripted.openai_url),))

    assert finding.level is Level.FINE
    assert scripted.calls.count == 1
