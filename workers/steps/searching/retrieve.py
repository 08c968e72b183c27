"""Retrieve: look passages up, and give the model as many of them as there is room for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from shared.clock import Clock
from shared.errors import ForebayError
from shared.messages.file_search.found_text import FoundText
from shared.replies.reply_stream import ReplyStream
from shared.settings.turn.context import ContextSettings
from shared.telemetry.logs import get_logger
from workers.steps.searching.quoting import passage_tokens
from workers.steps.searching.retriever import Retriever, WantedPassages
from workers.steps.searching.survey import go_without
from workers.steps.searching.telling import SearchTelling
from workers.turn import Turn, TurnSearch


class Retrieve:
    """Asks the index once a message, with the last words of the user.

    The best passages are kept: as many as `context.passage_tokens` has room for beside the
    conversation, which is fitted anew where it leaves them too little. Who follows the answer as
    a stream is told when the search begins and when it ends.
    """

    name = "retrieve"

    def __init__(
        self,
        retriever: Retriever,
        replies: ReplyStream,
        settings: ContextSettings,
        clock: Clock,
    ) -> None:
        self._retriever = retriever
        self._telling = SearchTelling(replies)
        self._settings = settings
        self._clock = clock
        self._log = get_logger(__name__)

    async def __call__(self, turn: Turn) -> None:
        search = turn.search
        if search is None or search.is_away or not search.question or not search.editions:
            return
        search = await self._telling.begin(turn, search)
        try:
            found = await self._find(turn, search)
        except (ForebayError, TimeoutError) as error:
            self._log.warning("index_away", step=self.name, error=type(error).__name__)
            go_without(turn, search, self._clock)
        else:
            turn.search = replace(search, found=self._fitted(turn, found))
        await self._telling.end(turn)

    async def _find(self, turn: Turn, search: TurnSearch) -> tuple[FoundText, ...]:
        tool = turn.body.file_search
        if tool is None:
            return ()
        left = max(0.0, turn.seconds_left(self._clock.now()))
        seconds = min(self._settings.search_seconds, left / 2)
        wanted = WantedPassages(
            tenant_id=turn.record.tenant_id,
            collections=tuple(collection for collection, _ in search.editions),
            text=search.question,
            limit=tool.most_results,
            principals=tool.principals,
            filters=tool.filters,
            ranking=tool.ranking_options,
            seconds=seconds,
        )
        async with asyncio.timeout(seconds):
            return await self._retriever.find(wanted)

    def _fitted(self, turn: Turn, found: Sequence[FoundText]) -> tuple[FoundText, ...]:
        """The best of them, whole: the worst are left out first."""
        budget = self._settings.token_budget
        most = min(self._settings.passage_tokens, budget // 2)
        costs = list(map(passage_tokens, found))
        wanted = min(most, sum(costs))
        taken = sum(item.tokens() for item in turn.items)
        if taken + wanted > budget and turn.body.truncation != "disabled":
            taken = self._make_room(turn, taken, budget - wanted)
        room, kept = min(most, budget - taken), 0
        while kept < len(costs) and costs[kept] <= room:
            room -= costs[kept]
            kept += 1
        return tuple(found[:kept])

    def _make_room(self, turn: Turn, taken: int, budget: int) -> int:
        """Let go of older parts of the conversation; what is to be answered now stays whole."""
        fitted = turn.shorten(budget / taken)
        if fitted is None:
            return taken
        turn.items, context = fitted
        turn.tell(context=context)
        return sum(item.tokens() for item in turn.items)
