"""Look up: an answer that was given before, or one that is just being written for another."""

from __future__ import annotations

from shared.answer_cache.answer_cache import AnswerCache, Quest
from shared.answer_cache.cache_control import ANYTHING, CacheControl, read_cache_control
from shared.answer_cache.flights import Flights
from shared.answer_cache.stored_answer import CacheFinding, CacheTicket, FlightRole
from shared.clock import Clock
from shared.errors import InvalidRequest
from shared.messages.turn_report import CacheKind, CacheReport
from shared.settings.turn.caching import CachingSettings
from shared.telemetry.metrics import Metrics
from workers.caching.cache_key import CacheKey, cache_key
from workers.caching.cacheable import CacheableRule, NotCacheable
from workers.caching.single_flight import SingleFlight
from workers.steps.caching.retelling import Retelling
from workers.steps.caching.same_meaning import SameMeaning
from workers.turn import Turn


class LookUp:
    """A hit ends the turn; it costs nothing and is judged like a fresh answer.

    After a miss the turn holds a ticket for the place of its answer. Whatever is wrong with the
    cache is a miss: the worst it can do to a message is to call a provider.

    One that does not `join` neither waits for an answer that is just being written nor has others
    wait; one that does not `read` takes the ticket alone.
    """

    name = "look_up"

    def __init__(
        self,
        cache: AnswerCache,
        *,
        rule: CacheableRule,
        retelling: Retelling,
        same_meaning: SameMeaning | None,
        flights: Flights,
        single_flight: SingleFlight,
        settings: CachingSettings,
        chain: str,
        metrics: Metrics,
        clock: Clock,
        joins: bool = True,
        reads: bool = True,
    ) -> None:
        self._cache = cache
        self._rule = rule
        self._retelling = retelling
        self._same_meaning = same_meaning
        self._flights = flights
        self._single_flight = single_flight
        self._settings = settings
        self._chain = chain
        self._metrics = metrics
        self._clock = clock
        self._joins = joins and settings.single_flight
        self._reads = reads

    async def __call__(self, turn: Turn) -> None:
        try:
            asked = turn.body.cache_control
            control = read_cache_control(asked) if asked else ANYTHING
            reason = self._rule.why_not_message(turn, control)
            if reason is None:
                await self._look(turn, control)
            elif reason is not NotCacheable.OFF:
                self._metrics.cache_refusals.labels(reason).inc()
        except InvalidRequest:
            # The step that answers meets the same fault, and ends the turn with it.
            return

    async def _look(self, turn: Turn, control: CacheControl) -> None:
        key = cache_key(turn, chain=self._chain)
        quest = self._quest(turn, key, control)
        finding = await self._cache.look_up(quest)
        if finding is None:
            self._metrics.cache_refusals.labels("unavailable").inc()
            return
        turn.cache_ticket = _ticket(key, finding)
        kind = CacheKind.EXACT
        if finding.role is FlightRole.FOLLOWS:
            kind = CacheKind.SINGLE_FLIGHT
            finding = await self._follow(turn, quest, finding)
        if finding.role is FlightRole.LEADS:
            self._take_off(turn, quest.owner)
        if not quest.reads or await self._told(turn, finding, kind):
            return
        if self._same_meaning and await self._same_meaning.tell(turn, turn.cache_ticket, quest):
            return
        self._metrics.cache_misses.inc()

    def _quest(self, turn: Turn, key: CacheKey, control: CacheControl) -> Quest:
        joins = self._joins and not control.no_cache
        return Quest(
            place=key.place,
            owner=f"{turn.record.id}:{turn.record.attempt}" if joins else "",
            max_age_seconds=control.max_age_seconds,
            reads=self._reads and not control.no_cache,
        )

    async def _follow(self, turn: Turn, quest: Quest, finding: CacheFinding) -> CacheFinding:
        """What the flight brought; the finding itself when it took too long."""
        left = turn.seconds_left(self._clock.now())
        seconds = max(0.0, left) * self._settings.flight_wait_share
        return await self._single_flight.follow(quest, seconds=seconds) or finding

    def _take_off(self, turn: Turn, owner: str) -> None:
        ticket = turn.cache_ticket
        assert ticket is not None  # noqa: S101 - it was looked up a moment ago
        self._flights.lead(ticket.place, owner)
        turn.resources.push_async_callback(self._flights.land, ticket, owner)

    async def _told(self, turn: Turn, finding: CacheFinding, kind: CacheKind) -> bool:
        """Whether the stored answer ended the turn."""
        answer, ticket = finding.answer, turn.cache_ticket
        if answer is None or ticket is None:
            return False
        report = CacheReport(
            kind=kind, entry=ticket.place.entry_id, age_seconds=round(finding.age_seconds, 3)
        )
        if await self._retelling.tell(turn, answer, report):
            return True
        await self._cache.drop(ticket.place)
        return False


def _ticket(key: CacheKey, finding: CacheFinding) -> CacheTicket:
    return CacheTicket(
        key.place,
        finding.generation,
        namespace=f"{key.namespace}:{finding.generation.decode()}",
        question=key.question if key.is_lone_question else "",
    )
