"""Same meaning: the stored answer to a question that asks the same in other words."""

from __future__ import annotations

from typing import assert_never

from shared.answer_cache.answer_cache import AnswerCache, Quest
from shared.answer_cache.stored_answer import CacheTicket, place_of
from shared.messages.turn_report import CacheKind, CacheReport
from shared.telemetry.metrics import Metrics
from workers.caching.semantic.finding import Candidate, RefusedHit, SemanticCache
from workers.steps.caching.retelling import Retelling
from workers.turn import Turn


class SameMeaning:
    """Asked after an exact miss, and told of every answer that is stored.

    Only a question with nothing before it: within a conversation the same words may mean
    something else.
    """

    def __init__(
        self,
        semantic: SemanticCache,
        cache: AnswerCache,
        *,
        retelling: Retelling,
        ttl_seconds: float,
        metrics: Metrics,
    ) -> None:
        self._semantic = semantic
        self._cache = cache
        self._retelling = retelling
        self._ttl_seconds = ttl_seconds
        self._metrics = metrics

    async def tell(self, turn: Turn, ticket: CacheTicket, quest: Quest) -> bool:
        """End the turn with such an answer; False where there is none that may be given.

        Raises InvalidRequest as `Retelling` does.
        """
        if not ticket.question:
            return False
        found = await self._semantic.find(ticket.namespace, ticket.question)
        match found:
            case None:
                return False
            case RefusedHit():
                self._metrics.cache_refusals.labels(f"guard_{found.rule}").inc()
                return False
            case Candidate():
                return await self._give(turn, ticket, quest, found)
            case _:
                assert_never(found)

    async def learn(self, ticket: CacheTicket) -> None:
        """Let questions of the same meaning find the answer that has just been stored."""
        if ticket.question:
            await self._semantic.add(
                ticket.namespace,
                ticket.question,
                ticket.place.entry_id,
                ttl_seconds=self._ttl_seconds,
            )

    async def _give(
        self, turn: Turn, ticket: CacheTicket, quest: Quest, candidate: Candidate
    ) -> bool:
        place = place_of(turn.record.tenant_id, candidate.entry_id)
        if place is None:
            return False
        kept = await self._cache.look_up(Quest(place=place, max_age_seconds=quest.max_age_seconds))
        if kept is None:
            return False
        if kept.answer is None:
            # Too old for this caller, or gone for all: only then nobody need find it any more.
            if quest.max_age_seconds is None:
                await self._semantic.remove(ticket.namespace, candidate.entry_id)
            return False
        report = CacheReport(
            kind=CacheKind.SEMANTIC,
            entry=candidate.entry_id,
            age_seconds=round(kept.age_seconds, 3),
            similarity=round(candidate.similarity, 4),
        )
        return await self._retelling.tell(turn, kept.answer, report)
