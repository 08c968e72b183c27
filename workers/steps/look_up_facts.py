"""Look up facts: what the sources of the settings know of a message, once a turn."""

from __future__ import annotations

from shared.clock import Clock
from shared.errors import InvalidRequest
from shared.identifiers import HANDOFF, sibling_id
from shared.messages.dead_letter import DeadReason
from shared.messages.facts import facts_of
from shared.messages.state import ResponseState
from shared.settings.turn.fact_source import SourceFailure
from shared.settings.turn.facts import FactSettings
from shared.telemetry.metrics import Metrics
from workers.fact_sources.fact_sheet import fact_sheet
from workers.fact_sources.lookup import FactLookup, Found
from workers.fact_sources.parameters import parameters_of
from workers.providers.outcome import HandedOff
from workers.turn import Turn


class LookUpFacts:
    """Puts on the turn what every answer of it is held against, and what the model is told.

    A fact of the producer's wins over one of the same name that was looked up: the producer said
    it of this very message, and a source may be a copy that lags behind.
    """

    name = "look_up_facts"

    def __init__(
        self,
        lookup: FactLookup | None,
        settings: FactSettings,
        *,
        apology: str,
        human: str,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """Without a lookup there is nobody to ask.

        `human` is the name, `apology` the text of the chain's handoff.
        """
        self._lookup = lookup
        self._settings = settings
        self._apology = apology
        self._human = human
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, turn: Turn) -> None:
        try:
            attached = facts_of(turn.body.metadata)
        except InvalidRequest as error:
            turn.refuse(DeadReason.MALFORMED, error.message, self._clock.now())
            return
        turn.facts = attached
        if self._lookup is not None:
            found = await self._lookup.look_up(turn.record.tenant_id, parameters_of(turn))
            turn.facts = found.facts | attached
            self._end_without(found, turn)
        if turn.settlement is None and self._settings.tell_model:
            most = self._settings.told_characters
            turn.fact_sheet = fact_sheet(turn.facts, most_characters=most)

    def _end_without(self, found: Found, turn: Turn) -> None:
        """End the turn where a source that failed wants it."""
        if source := found.wants(SourceFailure.FAIL):
            detail = f"'{source.name}' did not tell the facts."
            turn.fail(DeadReason.FACTS_UNAVAILABLE, detail, self._clock.now())
        elif source := found.wants(SourceFailure.HAND_OFF):
            self._hand_off(turn, f"the facts of '{source.name}' were not to be had")

    def _hand_off(self, turn: Turn, reason: str) -> None:
        self._metrics.handoffs.labels("opened").inc()
        handed = HandedOff(reason=reason, apology_text=self._apology)
        turn.end(
            ResponseState.REQUIRES_ACTION,
            self._clock.now(),
            output_text=handed.apology_for(sibling_id(HANDOFF, turn.record.id)),
            answered_by=self._human,
            handoff_reason=handed.reason,
        )
