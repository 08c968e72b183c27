"""The provider chain: who answers, in which order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, Self

import msgspec

from shared.errors import SettingsError
from shared.settings.deployment import (
    DeploymentSettings,
    ProviderBatchSettings,
    deployment_faults,
    deployment_name,
)
from shared.settings.secret import Secret
from shared.settings.units import Positive, PositiveInt

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_KEYS: Final = ("api_key_env", "api_key_file", "api_key")
_LIMITS: Final = ("requests_per_minute", "tokens_per_minute", "max_concurrency")
_OF_A_DEPLOYMENT: Final = ("base_url", *_LIMITS)
_OURS: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding"}
)


class ProviderKind(StrEnum):
    """The wire format or mechanism of a provider, and what follows from it.

    `is_model`: a model behind HTTP answers, so there is an address, a choice of models, a breaker.
    `is_billed`: its tokens cost money. `is_stopgap`: it answers worse than the others of a chain,
    so it is asked when they cannot. `is_human`: people answer. `tells_logprobs`: it says how likely
    each token was, for who asks.
    """

    is_model: bool
    is_billed: bool
    is_stopgap: bool
    is_human: bool
    tells_logprobs: bool

    @property
    def takes_batches(self) -> bool:
        """Whether its API has batches that we speak."""
        return self in {ProviderKind.OPENAI_COMPATIBLE, ProviderKind.ANTHROPIC}

    def __new__(
        cls,
        name: str,
        is_model: bool = False,
        is_billed: bool = False,
        is_stopgap: bool = False,
        is_human: bool = False,
        tells_logprobs: bool = False,
    ) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.is_model, member.is_billed = is_model, is_billed
        member.is_stopgap, member.is_human = is_stopgap, is_human
        member.tells_logprobs = tells_logprobs
        return member

    # name, is_model, is_billed, is_stopgap, is_human, tells_logprobs
    OPENAI_COMPATIBLE = "openai_compatible", True, True, False, False, True
    AZURE_OPENAI = "azure_openai", True, True, False, False, True
    ANTHROPIC = "anthropic", True, True
    LOCAL = "local", True, False, True
    RULES = "rules"
    HANDOFF = "handoff", False, False, False, True


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One link of the chain. Its key comes from `api_key_env` or `api_key_file`."""

    name: str
    """What answers, metrics and logs call it; each its own."""
    kind: ProviderKind
    """Its wire format, or what it does instead of asking a model."""
    base_url: str | None = None
    """Where its server is, such as https://api.example.com/v1; of every model. A `local` one asks
    `local_model.host` and `local_model.port` when not given.
    """
    model: str | None = None
    """The model asked for when the caller's is not one of `models`; the deployment's name at
    Azure.
    """
    models: tuple[str, ...] = ()
    """Models this provider serves under the caller's own name for them."""
    small_model: str | None = None
    """The model for easy messages, and for a caller who asks for `small`; else `model`."""
    large_model: str | None = None
    """The model for hard messages, and for a caller who asks for `large`; else `model`."""
    api_key_env: str | None = None
    """The variable that holds its key."""
    api_key_file: str | None = None
    """The file that holds its key."""
    api_key: Secret | None = None
    """Filled by `with_secrets`; refused in the file."""
    headers: dict[str, str] = {}
    """Headers of its own that every call carries, such as a gateway asks for."""
    headers_env: dict[str, str] = {}
    """Further ones whose values are secret: the variable that holds each."""
    headers_file: dict[str, str] = {}
    """Further ones whose values are secret: the file that holds each."""
    secret_headers: dict[str, Secret] = {}
    """Filled when settings are read; refused in the file."""
    api_version: str = "2024-10-21"
    """The version of Azure's API, which an `azure_openai` provider names in every call."""
    rules_file: str | None = None
    """The TOML file of a `rules` provider."""
    apology: str | None = None
    """What a `handoff` provider says at once; `$handoff` stands for the id."""
    connect_timeout_seconds: Positive = 3.0
    """For a connection to stand."""
    first_token_timeout_seconds: Positive = 30.0
    """For the answer to begin."""
    idle_timeout_seconds: Positive = 20.0
    """Between two pieces of the answer."""
    total_timeout_seconds: Positive = 300.0
    """For the whole answer."""
    max_tries: PositiveInt = 3
    """Calls of this provider for one message; of several deployments one that failed at no cost is
    not counted while another is left.
    """
    max_output_tokens: PositiveInt = 4096
    """Asked for when the caller names no limit, where the wire format demands one or the tenant
    has a daily budget.
    """
    requests_per_minute: PositiveInt | None = None
    """Calls a minute by all workers together, of each model; a tenth of it may go at once."""
    tokens_per_minute: PositiveInt | None = None
    """Tokens a minute by all workers together, of each model, in and out."""
    max_concurrency: PositiveInt | None = None
    """Calls under way at once by all workers together, of each model."""
    batch: ProviderBatchSettings | None = None
    """With it (`batch = {}` takes what is usual) messages of the batch lane that can wait are
    handed over as batches of the provider's own.
    """
    flex: bool = False
    """Whether calls for the batch lane ask for OpenAI's flex tier while they have ten minutes."""
    deployments: tuple[DeploymentSettings, ...] = ()
    """Several places or keys where the same models are asked, one `[[providers.deployments]]` for
    each. What is set of the provider holds for each of them that names nothing else.
    """

    @property
    def each_deployment(self) -> tuple[ProviderSettings, ...]:
        """Each deployment as a provider of its own, `name@deployment`; itself where it has none."""
        return tuple(map(self._deployed, self.deployments)) or (self,)

    @property
    def address(self) -> str | None:
        """Its base URL, or the first of its deployments'."""
        return self.each_deployment[0].base_url

    def _deployed(self, deployment: DeploymentSettings) -> ProviderSettings:
        named = {name: getattr(deployment, name) for name in _OF_A_DEPLOYMENT}
        own = {name: value for name, value in named.items() if value is not None}
        if deployment.names_a_key:
            own |= {name: getattr(deployment, name) for name in _KEYS}
        name = deployment_name(self.name, deployment.name)
        return msgspec.structs.replace(self, name=name, deployments=(), **own)

    @property
    def own_headers(self) -> dict[str, str]:
        """Every header of its own, secret ones in clear."""
        secret = {name: value.reveal() for name, value in self.secret_headers.items()}
        return {**self.headers, **secret}

    @property
    def named_models(self) -> tuple[str, ...]:
        """Every model that it may call, each once."""
        own = (*self.models, self.model, self.small_model, self.large_model)
        return tuple(dict.fromkeys(name for name in own if name))

    def required(self, key: str) -> str:
        """What the settings name under `key`; raises `SettingsError` where that is nothing."""
        value = getattr(self, key)
        if not isinstance(value, str) or not value:
            raise SettingsError([f"providers: '{self.name}' needs {key}. Add it to its table."])
        return value

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the link, with its fix."""
        is_model = self.kind.is_model
        if is_model:
            for each in self.each_deployment:
                yield from each.address_faults()
        if self.deployments:
            yield from self._deployment_faults()
        if is_model and not self.named_models:
            yield f"providers: '{self.name}' needs model, the name its server knows."
        yield from self._unsound_headers()
        if self.batch is not None and (self.deployments or not self.kind.takes_batches):
            yield (
                f"providers: '{self.name}' has batch, which only an openai_compatible or "
                "anthropic provider without deployments can have. Take it out."
            )
        if self.kind is ProviderKind.RULES and not self.rules_file:
            yield f"providers: '{self.name}' needs rules_file, the path of a TOML file."
        if not is_model and (self.small_model or self.large_model):
            yield (
                f"providers: '{self.name}' has small_model or large_model, and a {self.kind} "
                "provider has no choice of models. Take them out."
            )

    def address_faults(self) -> Iterator[str]:
        """A sentence where its base URL is none."""
        if not (self.base_url or "").startswith(("http://", "https://")):
            given = f", not '{self.base_url}'" if self.base_url else ""
            yield (
                f"providers: '{self.name}' needs base_url, such as "
                f"https://api.example.com/v1{given}."
            )

    def _deployment_faults(self) -> Iterator[str]:
        if not self.kind.is_model:
            yield (
                f"providers: '{self.name}' has deployments, and a {self.kind} provider asks no "
                "server. Take them out."
            )
        has_key = self.api_key_env is not None or self.api_key_file is not None
        yield from deployment_faults(self.name, self.deployments, has_key=has_key)

    def _unsound_headers(self) -> Iterator[str]:
        named = [*self.headers, *self.headers_env, *self.headers_file]
        for name in named:
            if not _HEADER_NAME.fullmatch(name):
                yield f"providers: '{self.name}' has {name!r}, which is no header's name. Mend it."
            elif name.lower() in _OURS:
                yield f"providers: '{self.name}' sets the header {name}, which we set. Take it out."
        twice = {name for name in named if [each.lower() for each in named].count(name.lower()) > 1}
        for name in sorted(twice):
            yield f"providers: '{self.name}' sets the header {name} twice. Keep one."
        for name, value in self.headers.items():
            if not is_header_value(value):
                yield (
                    f"providers: '{self.name}' has a value for the header {name} that cannot be "
                    "sent. Use printable ASCII."
                )


def is_header_value(value: str) -> bool:
    """Whether it can be sent: no line breaks, and nothing beyond ASCII."""
    return value.isascii() and value.isprintable()
