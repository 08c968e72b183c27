"""Store: keep the answer for whoever asks the same."""

from __future__ import annotations

from shared.answer_cache.answer_cache import AnswerCache
from shared.answer_cache.stored_answer import CachedAnswer, CacheTicket
from shared.messages.output import decode_items, encode_items
from shared.persistence.ledger.records import Settlement
from shared.telemetry.metrics import Metrics
from workers.caching.cacheable import CacheableRule, NotCacheable
from workers.steps.caching.same_meaning import SameMeaning
from workers.steps.searching.citing import with_found
from workers.turn import Turn


class Store:
    """Runs after the reply: nobody waits for it, except those who follow this flight."""

    name = "store"

    def __init__(
        self,
        cache: AnswerCache,
        *,
        rule: CacheableRule,
        same_meaning: SameMeaning | None,
        metrics: Metrics,
    ) -> None:
        self._cache = cache
        self._same_meaning = same_meaning
        self._rule = rule
        self._metrics = metrics

    async def __call__(self, turn: Turn) -> None:
        ticket, end = turn.cache_ticket, turn.settlement
        was_stored = turn.report is not None and turn.report.cache is not None
        if ticket is None or end is None or was_stored:
            return
        reason = self._rule.why_not_answer(turn) or await self._why_not_kept(turn, ticket, end)
        if reason is None:
            ticket.landed = True
            self._metrics.cache_stores.inc()
            if self._same_meaning:
                await self._same_meaning.learn(ticket)
        else:
            self._metrics.cache_refusals.labels(reason).inc()

    async def _why_not_kept(
        self, turn: Turn, ticket: CacheTicket, end: Settlement
    ) -> NotCacheable | None:
        items = end.output_items
        if turn.search is not None:
            # Whoever is given it again is given what holds against these passages.
            items = encode_items(with_found(decode_items(items), turn.search.found))
        answer = CachedAnswer(
            text=end.output_text or "",
            model=end.model or "",
            answered_by=end.answered_by or "",
            response_id=end.message_id,
            input_tokens=end.input_tokens or 0,
            output_tokens=end.output_tokens or 0,
            cost=end.cost,
            items=items,
        )
        return None if await self._cache.store(ticket, answer) else NotCacheable.NOT_KEPT
