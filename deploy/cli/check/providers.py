"""Can the providers be reached, and can the rules be read? Nothing is asked of a model."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from shared.errors import SettingsError
from shared.settings.providers import ProviderKind, ProviderSettings


async def check_providers(providers: tuple[ProviderSettings, ...]) -> list[CheckFinding]:
    """One finding for each, in the order of the chain."""
    if not providers:
        return [
            hint(
                "providers",
                "No provider is configured: built-in rules answer what they know, people the "
                "rest. List a model under [[providers]] in forebay.toml.",
            )
        ]
    found = await asyncio.gather(*(_check(provider) for provider in providers))
    return [finding for findings in found for finding in findings]


async def _check(provider: ProviderSettings) -> list[CheckFinding]:
    if provider.kind.is_model:
        return await asyncio.gather(*map(_reach, provider.each_deployment))
    if provider.kind.is_human:
        return [fine("providers", f"'{provider.name}' hands messages to people.")]
    return _read_rules(provider)


async def _reach(provider: ProviderSettings) -> CheckFinding:
    """Connects and hangs up; a provider that is away is a hint, because a chain bears it."""
    url = urlsplit(provider.base_url or "")
    encrypted = url.scheme == "https"
    try:
        async with asyncio.timeout(provider.connect_timeout_seconds):
            _, writer = await asyncio.open_connection(
                url.hostname,
                url.port or (443 if encrypted else 80),
                ssl=ssl.create_default_context() if encrypted else None,
            )
            writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        reason = str(error) or "no answer in time"
        is_local = provider.kind is ProviderKind.LOCAL
        start = "start it (forebay model)" if is_local else "start it"
        return hint(
            "providers",
            f"'{provider.name}' at {provider.base_url} cannot be reached ({reason}): {start} "
            "or mend its base_url. Until then the chain goes on without it.",
        )
    return fine("providers", f"'{provider.name}' at {provider.base_url} can be reached.")


def _read_rules(provider: ProviderSettings) -> list[CheckFinding]:
    from workers.providers.rules import RulesProvider

    file = Path(provider.rules_file or "")
    try:
        RulesProvider.from_file(file, name=provider.name)
    except SettingsError as error:
        return [fault("providers", finding) for finding in error.findings]
    return [fine("providers", f"'{provider.name}' reads its rules from {file}.")]
