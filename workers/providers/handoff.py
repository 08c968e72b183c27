"""The provider at the end of a chain: a human."""

from __future__ import annotations

from typing import Final

from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.outcome import HandedOff
from workers.providers.provider import Prompt, Sink
from workers.providers.provider_type import ProviderType
from workers.providers.wire.http.connections import ProviderConnections

DEFAULT_APOLOGY: Final = (
    "I could not answer this myself, so a person will. Your request is noted as $handoff."
)


class HandoffProvider:
    """Always hands the message to a human; the inbox row is written with the state change."""

    def __init__(self, *, name: str, apology: str = DEFAULT_APOLOGY) -> None:
        self.name = name
        self._apology = apology

    def model_for(self, requested: str) -> str:  # noqa: ARG002 - whoever is asked, a human answers
        return "human"

    async def answer(
        self,
        prompt: Prompt,  # noqa: ARG002
        *,
        time_left_seconds: float,  # noqa: ARG002
        on_delta: Sink | None = None,  # noqa: ARG002
    ) -> HandedOff:
        return HandedOff(reason="no provider before this one answered", apology_text=self._apology)

    async def close(self) -> None:
        """Nothing to release."""


def _from_settings(settings: ProviderSettings, _: ProviderConnections) -> HandoffProvider:
    return HandoffProvider(name=settings.name, apology=settings.apology or DEFAULT_APOLOGY)


HANDOFF: Final = ProviderType(kind=ProviderKind.HANDOFF, build=_from_settings)
