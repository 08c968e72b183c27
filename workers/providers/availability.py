"""Whether the models of the chain answer, for messages that may wait until one does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from shared.breakers.board import BreakerBoard
from shared.breakers.reading import BreakerState
from shared.clock import Clock
from shared.messages.turn_report import Tier
from shared.settings.providers import ProviderSettings
from workers.dispatch.parking.outlook import ModelState, Outlook
from workers.providers.provider import AUTOMATIC_MODEL, ModelChoice

_ANY_OTHER = ""
"""A name that no provider serves: each is asked for its usual model."""


class ModelAvailability:
    """What stands in front of each model that a message may be answered by: its breakers.

    Of several providers and deployments one is enough. A message that leaves the choice of the
    size to us may get either one, so both have to answer. Without Redis it goes by what was heard
    last; of whom nothing was heard answers.
    """

    def __init__(
        self, providers: Sequence[ProviderSettings], breakers: BreakerBoard, clock: Clock
    ) -> None:
        self._breakers = breakers
        self._clock = clock
        models = [each for each in providers if each.kind.is_model]
        self._choices = [(each, ModelChoice.of(each)) for each in models]
        self._has_tiers = any(choice.has_tiers for _, choice in self._choices)
        served = [name for each in models for name in each.named_models]
        self._names = dict.fromkeys((_ANY_OTHER, AUTOMATIC_MODEL, *Tier, *served))
        self.outlooks: Mapping[str, Outlook] = dict.fromkeys(self._names, Outlook())

    async def look(self) -> None:
        """See how the breakers stand now: one round trip for all."""
        if not self._choices:
            return
        for _ in self._outlooks():
            pass  # each breaker is known before they are read together
        await self._breakers.refresh()
        self.outlooks = dict(self._outlooks())

    def named(self, asked: str | None) -> str:
        """Under which of the names a message belongs that asks for this model."""
        name = asked or AUTOMATIC_MODEL
        return name if name in self._names else _ANY_OTHER

    def _outlooks(self) -> Iterable[tuple[str, Outlook]]:
        for name in self._names:
            wanted = (*Tier,) if name == AUTOMATIC_MODEL and self._has_tiers else (name,)
            yield name, max(self._outlook(each) for each in wanted)

    def _outlook(self, requested: str) -> Outlook:
        return min(
            self._of(place.name, choice.model_for(requested))
            for each, choice in self._choices
            for place in _asked(each)
        )

    def _of(self, provider: str, model: str) -> Outlook:
        breaker = self._breakers.breaker(provider, model)
        reading = breaker.reading
        match reading.state:
            case BreakerState.CLOSED:
                return Outlook()
            case BreakerState.HALF_OPEN:
                why = f"{breaker.name} is half-open, and a call finds out whether it is back"
                return Outlook(ModelState.PROBED, why=why)
            case BreakerState.OPEN:
                until = self._clock.now() + timedelta(seconds=reading.seconds_left)
                why = f"{breaker.name} is open until {until:%H:%M:%S} UTC"
                return Outlook(ModelState.AWAY, reading.seconds_left, why)


def _asked(provider: ProviderSettings) -> Iterable[ProviderSettings]:
    """Itself, or its deployments, but for those that are drained: nobody opens their breakers."""
    if not provider.deployments:
        return (provider,)
    every = zip(provider.deployments, provider.each_deployment, strict=True)
    return [place for deployment, place in every if deployment.weight]
