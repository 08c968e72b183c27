"""One real, cheap call of each model: are its address, its key and its name right?"""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec.structs import replace

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from shared.errors import SettingsError
from shared.messages.item import MessageItem, Role
from shared.settings.providers import ProviderSettings
from workers.providers.building import build_provider
from workers.providers.error_class import ErrorClass, Setting
from workers.providers.failures import ProviderError
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections

_SECONDS: Final = 30.0
_QUESTION: Final = (MessageItem(Role.USER, "Say OK."),)
_LONGEST_ANSWER_TOKENS: Final = 16
_FIXES: Final = {
    Setting.ADDRESS: "Mend its base_url.",
    Setting.KEY: "Mend its key (api_key_env or api_key_file).",
    Setting.ACCOUNT: "Its key is right; see to its account, limits and payment.",
    Setting.MODEL: "Mend the name of its model.",
}


async def ask_models(providers: tuple[ProviderSettings, ...]) -> list[CheckFinding]:
    """One finding for each model that a provider names, in the order of the chain; of each of its
    deployments, where it has any.

    Each call costs a few tokens. A wrong setting is a fault; a model that is away, busy, limited or
    slow now is a hint, for the chain bears it and workers start.
    """
    asked = [
        (each, model)
        for provider in providers
        if provider.kind.is_model
        for each in provider.each_deployment
        for model in provider.named_models
    ]
    async with ProviderConnections() as connections:
        return await asyncio.gather(*(_ask(each, model, connections) for each, model in asked))


async def _ask(
    settings: ProviderSettings, model: str, connections: ProviderConnections
) -> CheckFinding:
    name = f"'{settings.name}' ({model})"
    prompt = Prompt(items=_QUESTION, model=model, max_output_tokens=_LONGEST_ANSWER_TOKENS)
    try:
        provider = build_provider(_with_model(settings, model), connections)
        await provider.answer(prompt, time_left_seconds=_SECONDS)
    except SettingsError as error:
        return fault("providers", error.message)
    except ProviderError as error:
        return _finding(name, error)
    return fine("providers", f"{name} answers.")


def _with_model(settings: ProviderSettings, model: str) -> ProviderSettings:
    """The provider with this one model, so that no name is taken for a tier."""
    return replace(settings, model=model, models=(), small_model=None, large_model=None)


def _finding(name: str, error: ProviderError) -> CheckFinding:
    is_wrong_address = error.error_class is ErrorClass.MISCONFIGURED
    mend = error.mend or (Setting.ADDRESS if is_wrong_address else None)
    if mend is not None:
        return fault("providers", f"{name} cannot be used: {error.message}. {_FIXES[mend]}")
    return hint("providers", f"{name} did not answer: {error.message}. {_advice(error)}")


def _advice(error: ProviderError) -> str:
    if error.error_class is ErrorClass.CONNECTION:
        return "Start it or mend its base_url; until then the chain goes on without it."
    return "It may be able to later." if error.error_class.retryable else "See its words."
