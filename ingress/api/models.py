"""GET /v1/models: what may be asked for by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from ingress.api.door import Door
from ingress.api.http.exchange import Exchange
from shared.errors import NotFound
from shared.messages.response import DEFAULT_MODEL
from shared.messages.turn_report import Tier
from shared.settings.providers import ProviderSettings

# OpenAI's clients want a time; a model of ours has none that means anything.
_CREATED: Final = 1_767_225_600
_ENCODERS: Final = "forebay-embeddings"
"""Owns what makes vectors and answers nothing."""


class Model(msgspec.Struct, frozen=True):
    """OpenAI's model object; `owned_by` is the provider's name in the settings."""

    id: str
    owned_by: str
    created: int = _CREATED
    object: Literal["model"] = "model"


class ModelList(msgspec.Struct, frozen=True):
    """All of them."""

    data: list[Model]
    object: Literal["list"] = "list"


class Models:
    """`auto`, which leaves the choice to us, `small` and `large`, and every provider's models.

    Behind them are `text`, `code` and the names of their encoders, for `/v1/embeddings` alone.
    """

    def __init__(
        self, door: Door, providers: Sequence[ProviderSettings], encoders: Iterable[str] = ()
    ) -> None:
        self._door = door
        self._models = {name: Model(name, "forebay") for name in (DEFAULT_MODEL, *Tier)}
        for provider in providers:
            for name in provider.named_models:
                self._models.setdefault(name, Model(name, provider.name))
        for name in encoders:
            self._models.setdefault(name, Model(name, _ENCODERS))

    async def list(self, exchange: Exchange) -> None:
        """All models."""
        await self._door.caller(exchange)
        await exchange.answer(200, msgspec.json.encode(ModelList([*self._models.values()])))

    async def retrieve(self, exchange: Exchange) -> None:
        """One model; its name may contain slashes."""
        await self._door.caller(exchange)
        name = exchange.parameters["model"]
        model = self._models.get(name)
        if model is None:
            raise NotFound(f"The model '{name[:128]}' does not exist.", param="model")
        await exchange.answer(200, msgspec.json.encode(model))
