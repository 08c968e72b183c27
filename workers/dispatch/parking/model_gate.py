"""Which messages may go: those that a model would answer, and a few that find out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from shared.clock import Clock
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.parking.outlook import ModelState, ModelWatch, Outlook

ModelsOf = Callable[[Sequence[str]], Awaitable[Mapping[str, str | None]]]
"""Which model each of these messages asks for, by their ids; raises LedgerUnavailable."""

_LAST_RESORT_SECONDS: Final = 900.0
_UNKNOWN: Final = Outlook(ModelState.AWAY, why="its model is being looked up")


class ModelGate:
    """Looks at the models, and remembers what it let through to probe them.

    What a message asks for is read only while models stand differently: mostly none or all answer.
    """

    def __init__(
        self,
        models: ModelWatch,
        models_of: ModelsOf,
        clock: Clock,
        *,
        probes: int,
        attempt_limit: int,
    ) -> None:
        """`probes` is how many may be under way at once while a model is probed, none of which has
        been with workers so often that it would not be put back; where none ever is, those that
        no worker had. Where no other comes for a quarter of an hour one of them probes all the
        same, lest a few messages wait for a model that was back long ago."""
        self._clock = clock
        self._last_resort_at: float | None = None
        self._most_claims = max(0, attempt_limit - 3)
        self._models = models
        self._models_of = models_of
        self._most_probes = probes
        self._probes: set[str] = set()
        self._names: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._outlooks: Mapping[str, Outlook] = {}
        self._only: Outlook | None = Outlook()

    @property
    def wonders(self) -> bool:
        """Whether there are messages of which it would have to know what they ask for."""
        return bool(self._unknown)

    async def look(self) -> None:
        """See how the models stand now."""
        await self._models.look()
        self._outlooks = self._models.outlooks
        # Where all stand alike, the one is named that is back first.
        best, worst = min(self._outlooks.values()), max(self._outlooks.values())
        self._only = best if best.state is worst.state else None

    async def learn(self, *, is_under_way: Callable[[str], bool]) -> None:
        """Read what messages ask for, where that matters, and forget probes that have ended."""
        self._probes = {each for each in self._probes if is_under_way(each)}
        unknown, self._unknown = self._unknown, set()
        if self._only is not None:
            self._names.clear()
        elif unknown:
            for message_id, asked in (await self._models_of(sorted(unknown))).items():
                self._names[message_id] = self._models.named(asked)

    def outlook(self, message_id: str) -> Outlook:
        """For that message."""
        if self._only is not None:
            return self._only
        return self._outlooks.get(self._names.get(message_id, ""), _UNKNOWN)

    def lets(self, message: HeldMessage) -> bool:
        """Whether it may go now; one that goes to probe is counted until it has ended."""
        message_id = message.id
        if self._only is None and message_id not in self._names:
            self._unknown.add(message_id)
            return False
        state = self.outlook(message_id).state
        if state is ModelState.PROBED and message_id not in self._probes:
            if len(self._probes) >= self._most_probes or not self._may_probe(message):
                return False
            self._probes.add(message_id)
        return state is not ModelState.AWAY

    def _may_probe(self, message: HeldMessage) -> bool:
        if message.claims <= self._most_claims:
            self._last_resort_at = None
            return True
        now = self._clock.monotonic()
        if self._last_resort_at is None:
            self._last_resort_at = now + _LAST_RESORT_SECONDS
        if now < self._last_resort_at:
            return False
        self._last_resort_at = None
        return True
