"""The deployments of one provider, and the breakers in front of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from shared.breakers.board import BreakerBoard
from shared.breakers.breaker import Breaker
from shared.settings.providers import ProviderSettings
from shared.settings.secret import Secret
from workers.providers.deployments.loads import (
    DeploymentGroup,
    DeploymentLoads,
    DeploymentShare,
)
from workers.providers.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One of them; its provider's name is `provider@deployment`, and so is that of its breaker."""

    name: str
    provider: Provider


class DeploymentSet:
    """Where one provider's models are asked, in the order of the settings: places count from 1."""

    def __init__(
        self,
        settings: ProviderSettings,
        deployments: Sequence[Deployment],
        *,
        loads: DeploymentLoads,
        breakers: BreakerBoard | None,
    ) -> None:
        self.name = settings.name
        self.deployments = tuple(deployments)
        self.loads = loads
        self.max_output_tokens = settings.max_output_tokens
        self.all_places = (1 << len(self.deployments)) - 1
        self._breakers = breakers
        self._shares = tuple(
            DeploymentShare(
                name=own.name,
                weight=own.weight,
                requests_per_minute=each.requests_per_minute or 0,
                tokens_per_minute=each.tokens_per_minute or 0,
                max_concurrency=each.max_concurrency or 0,
                key_mark=_mark(each.api_key),
            )
            for own, each in zip(settings.deployments, settings.each_deployment, strict=True)
        )
        self._groups: dict[str, DeploymentGroup] = {}

    def model_for(self, requested: str) -> str:
        """All deployments have the same models."""
        return self.deployments[0].provider.model_for(requested)

    def group(self, model: str) -> DeploymentGroup:
        """What the fleet counts of that model."""
        group = self._groups.get(model)
        if group is None:
            group = DeploymentGroup(provider=self.name, model=model, shares=self._shares)
            self._groups[model] = group
        return group

    def breaker(self, place: int, model: str) -> Breaker | None:
        """The breaker in front of that model of that deployment."""
        if self._breakers is None:
            return None
        return self._breakers.breaker(self.deployments[place - 1].provider.name, model)

    def is_cut_off(self, model: str) -> bool:
        """Whether no breaker is closed of those that have a weight, as far as was heard."""
        asked = [place for place, share in enumerate(self._shares, start=1) if share.weight]
        breakers = [self.breaker(place, model) for place in asked]
        return all(each is not None and not each.is_closed for each in breakers)

    def refusing(self, model: str) -> int:
        """A bit for each deployment that is not asked: its breaker refuses, or it has no weight."""
        bits = 0
        for place, share in enumerate(self._shares, start=1):
            breaker = self.breaker(place, model)
            if not share.weight or (breaker is not None and breaker.refuses):
                bits |= 1 << place - 1
        return bits

    async def close(self) -> None:
        """Release what the deployments opened."""
        for each in self.deployments:
            await each.provider.close()


def _mark(key: Secret | None) -> str:
    """Too short to say anything of a key but that it is another."""
    return blake2b((key.reveal() if key else "").encode(), digest_size=2).hexdigest()
