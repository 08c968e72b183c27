"""The provider chain: who answers, in which order."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.settings.secret import Secret
from shared.settings.units import Positive, PositiveInt


class ProviderKind(StrEnum):
    """The wire format or mechanism of a provider."""

    OPENAI_COMPATIBLE = "openai_compatible"
    ANTHROPIC = "anthropic"
    LOCAL = "local"
    RULES = "rules"
    HANDOFF = "handoff"


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One link of the chain. Its key comes from `api_key_env` or `api_key_file`."""

    name: str
    """What answers, metrics and logs call it; each its own."""
    kind: ProviderKind
    """Its wire format, or what it does instead of asking a model."""
    base_url: str | None = None
    """Where its server is, such as https://api.example.com/v1; for `openai_compatible` and
    `anthropic`. A `local` one asks `local_model.host` and `local_model.port` when not given.
    """
    model: str | None = None
    """The model asked for when the caller's is not one of `models`."""
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
    """Calls of this provider for one message."""
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

    @property
    def named_models(self) -> tuple[str, ...]:
        """Every model that it may call, each once."""
        own = (*self.models, self.model, self.small_model, self.large_model)
        return tuple(dict.fromkeys(name for name in own if name))
