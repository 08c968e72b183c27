"""Secrets that settings only name: the variable or the file that holds each.

Whoever asks providers, fact sources and servers of the index takes them: workers, and a check of
them. All other commands read the same settings and need none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from shared.errors import SettingsError
from shared.settings.deployment import DeploymentSettings, deployment_name
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderSettings
from shared.settings.indexing.index import IndexSettings, SearchServerSettings
from shared.settings.indexing.search import SearchSettings
from shared.settings.loading.sink_secrets import with_secrets_of_sink
from shared.settings.providers import ProviderSettings, is_header_value
from shared.settings.secret import Secret, ServerUrl
from shared.settings.settings import Settings
from shared.settings.telemetry import TelemetrySettings
from shared.settings.turn.fact_source import FactSourceSettings
from shared.settings.watching.alerts import AlertSettings
from shared.settings.watching.evaluation import EvaluationSettings

_Filled = TypeVar("_Filled")


def with_secrets(settings: Settings, env: Mapping[str, str] | None = None) -> Settings:
    """The settings with every secret in its place.

    Raises SettingsError with one finding for each that cannot be had.
    """
    filled, findings = with_known_secrets(settings, env)
    if findings:
        raise SettingsError(findings)
    return filled


def with_known_secrets(
    settings: Settings, env: Mapping[str, str] | None = None
) -> tuple[Settings, list[str]]:
    """The settings with those secrets that can be had here, and a sentence for each other."""
    secrets = _Secrets(os.environ if env is None else env)
    facts = msgspec.structs.replace(
        settings.facts, sources=tuple(map(secrets.of_source, settings.facts.sources))
    )
    providers = tuple(map(secrets.of_provider, settings.providers))
    filled = msgspec.structs.replace(
        settings,
        providers=providers,
        facts=facts,
        index=secrets.of_index(settings.index),
        search=secrets.of_search(settings.search),
        telemetry=secrets.of_telemetry(settings.telemetry),
        alerts=secrets.of_alerts(settings.alerts),
        evaluation=secrets.of_evaluation(settings.evaluation),
    )
    return filled, [*secrets.findings, *facts.faults()]


def with_encoder_keys(
    settings: EmbeddingSettings, env: Mapping[str, str] | None = None
) -> EmbeddingSettings:
    """The encoders with their keys in place.

    Raises SettingsError with one finding for each that cannot be had.
    """
    secrets = _Secrets(os.environ if env is None else env)
    filled = msgspec.structs.replace(
        settings,
        text=secrets.of_encoder("text", settings.text),
        code=secrets.of_encoder("code", settings.code),
    )
    return secrets.whole(filled)


def with_index_keys(settings: IndexSettings, env: Mapping[str, str] | None = None) -> IndexSettings:
    """The servers of the index with their keys in place, for who asks them and no provider.

    Raises SettingsError with one finding for each that cannot be had.
    """
    secrets = _Secrets(os.environ if env is None else env)
    return secrets.whole(secrets.of_index(settings))


def with_search_keys(
    settings: SearchSettings, env: Mapping[str, str] | None = None
) -> SearchSettings:
    """What searches, with the key of its reranker in place.

    Raises SettingsError where it cannot be had.
    """
    secrets = _Secrets(os.environ if env is None else env)
    return secrets.whole(secrets.of_search(settings))


def with_pseudonym_key(
    settings: TelemetrySettings, env: Mapping[str, str] | None = None
) -> TelemetrySettings:
    """What is told, with the key of pseudonyms in place; raises SettingsError where it cannot be
    had."""
    secrets = _Secrets(os.environ if env is None else env)
    return secrets.whole(secrets.of_telemetry(settings))


def with_sink_secrets(
    settings: AlertSettings, env: Mapping[str, str] | None = None
) -> AlertSettings:
    """The sinks of alerts with their secrets in place, for who only sends to them.

    Raises SettingsError with one finding for each that cannot be had.
    """
    secrets = _Secrets(os.environ if env is None else env)
    return secrets.whole(secrets.of_alerts(settings))


class _Secrets:
    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.findings: list[str] = []

    def whole(self, filled: _Filled) -> _Filled:
        """It, unless a secret was missing: raises SettingsError with a finding for each."""
        if self.findings:
            raise SettingsError(self.findings)
        return filled

    def of_provider(self, provider: ProviderSettings) -> ProviderSettings:
        owner = f"providers: '{provider.name}'"
        key = self._find(owner, "key", "api_key", provider.api_key_env, provider.api_key_file)
        if key:
            provider = msgspec.structs.replace(provider, api_key=Secret(key))
        if provider.deployments:
            deployments = tuple(self._of_deployments(provider))
            provider = msgspec.structs.replace(provider, deployments=deployments)
        headers = dict(self._headers(owner, provider))
        return msgspec.structs.replace(provider, secret_headers=headers) if headers else provider

    def _of_deployments(self, provider: ProviderSettings) -> Iterator[DeploymentSettings]:
        for each in provider.deployments:
            owner = f"providers: '{deployment_name(provider.name, each.name)}'"
            key = self._find(owner, "key", "api_key", each.api_key_env, each.api_key_file)
            yield msgspec.structs.replace(each, api_key=Secret(key)) if key else each

    def _headers(self, owner: str, provider: ProviderSettings) -> Iterator[tuple[str, Secret]]:
        named = [(name, variable, None) for name, variable in provider.headers_env.items()]
        filed = [(name, None, file) for name, file in provider.headers_file.items()]
        for name, variable, file in (*named, *filed):
            value = self._find(owner, f"header {name}", "headers", variable, file)
            if value and is_header_value(value):
                yield name, Secret(value)
            elif value:
                self.findings.append(
                    f"{owner} takes its header {name} from {variable or file}, whose text cannot "
                    "be sent. Use printable ASCII on one line."
                )

    def of_encoder(self, role: str, encoder: EncoderSettings) -> EncoderSettings:
        owner = f"embeddings.{role}"
        key = self._find(owner, "key", "api_key", encoder.api_key_env, encoder.api_key_file)
        return msgspec.structs.replace(encoder, api_key=Secret(key)) if key else encoder

    def of_source(self, source: FactSourceSettings) -> FactSourceSettings:
        owner = f"facts.sources: '{source.name}'"
        key = self._find(owner, "key", "api_key", source.api_key_env, source.api_key_file)
        if key:
            source = msgspec.structs.replace(source, api_key=Secret(key))
        url = self._find(owner, "URL", "url", source.url_env, source.url_file)
        return msgspec.structs.replace(source, url=ServerUrl(url)) if url else source

    def of_index(self, index: IndexSettings) -> IndexSettings:
        return msgspec.structs.replace(
            index,
            qdrant=self.of_server("index.qdrant", index.qdrant),
            meilisearch=self.of_server("index.meilisearch", index.meilisearch),
        )

    def of_search(self, search: SearchSettings) -> SearchSettings:
        one = search.reranker
        key = self._find("search.reranker", "key", "api_key", one.api_key_env, one.api_key_file)
        if not key:
            return search
        reranker = msgspec.structs.replace(one, api_key=Secret(key))
        return msgspec.structs.replace(search, reranker=reranker)

    def of_telemetry(self, told: TelemetrySettings) -> TelemetrySettings:
        named = told.pseudonym_key_env, told.pseudonym_key_file
        key = self._find("telemetry", "key of pseudonyms", "pseudonym_key", *named)
        return msgspec.structs.replace(told, pseudonym_key=Secret(key)) if key else told

    def of_alerts(self, alerts: AlertSettings) -> AlertSettings:
        sinks = (with_secrets_of_sink(sink, self._find, self.findings) for sink in alerts.sinks)
        return msgspec.structs.replace(alerts, sinks=tuple(sinks))

    def of_evaluation(self, judged: EvaluationSettings) -> EvaluationSettings:
        key = self._find("evaluation", "key", "key", judged.key_env, judged.key_file)
        return msgspec.structs.replace(judged, key=Secret(key)) if key else judged

    def of_server(self, owner: str, server: SearchServerSettings) -> SearchServerSettings:
        key = self._find(owner, "key", "api_key", server.api_key_env, server.api_key_file)
        return msgspec.structs.replace(server, api_key=Secret(key)) if key else server

    def _find(
        self, owner: str, what: str, key: str, variable: str | None, file: str | None
    ) -> str | None:
        """The value of the variable, else the text of the file; None where neither is named."""
        if variable is not None:
            if value := self._env.get(variable):
                return value
            self.findings.append(
                f"{owner} takes its {what} from ${variable}, which is not set. Set it, or remove "
                f"{key}_env."
            )
        elif file is not None:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is no text"
                self.findings.append(
                    f"{owner} takes its {what} from {file}, which cannot be read: {reason}. Mend "
                    "the path or its permissions."
                )
        return None
