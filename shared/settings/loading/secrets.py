"""Secrets that settings only name: the variable or the file that holds each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from shared.settings.loading.reading import Reading
from shared.settings.providers import ProviderSettings
from shared.settings.secret import Secret, ServerUrl
from shared.settings.settings import Settings
from shared.settings.turn.facts import FactSourceSettings


def with_secrets(settings: Settings, env: Mapping[str, str], reading: Reading) -> Settings:
    """The settings with every secret in its place; what cannot be had is noted in `reading`."""
    secrets = _Secrets(env, reading)
    facts = msgspec.structs.replace(
        settings.facts, sources=tuple(map(secrets.of_source, settings.facts.sources))
    )
    providers = tuple(map(secrets.of_provider, settings.providers))
    return msgspec.structs.replace(settings, providers=providers, facts=facts)


class _Secrets:
    def __init__(self, env: Mapping[str, str], reading: Reading) -> None:
        self._env = env
        self._reading = reading

    def of_provider(self, provider: ProviderSettings) -> ProviderSettings:
        owner = f"providers: '{provider.name}'"
        key = self._find(owner, "key", "api_key", provider.api_key_env, provider.api_key_file)
        return msgspec.structs.replace(provider, api_key=Secret(key)) if key else provider

    def of_source(self, source: FactSourceSettings) -> FactSourceSettings:
        owner = f"facts.sources: '{source.name}'"
        key = self._find(owner, "key", "api_key", source.api_key_env, source.api_key_file)
        if key:
            source = msgspec.structs.replace(source, api_key=Secret(key))
        url = self._find(owner, "URL", "url", source.url_env, source.url_file)
        return msgspec.structs.replace(source, url=ServerUrl(url)) if url else source

    def _find(
        self, owner: str, what: str, key: str, variable: str | None, file: str | None
    ) -> str | None:
        """The value of the variable, else the text of the file; None where neither is named."""
        if variable is not None:
            if value := self._env.get(variable):
                return value
            self._reading.findings.append(
                f"{owner} takes its {what} from ${variable}, which is not set. Set it, or remove "
                f"{key}_env."
            )
        elif file is not None:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is no text"
                self._reading.findings.append(
                    f"{owner} takes its {what} from {file}, which cannot be read: {reason}. Mend "
                    "the path or its permissions."
                )
        return None
