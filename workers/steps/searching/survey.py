"""Survey: which collections are searched, and how each of them stands now.

It comes before the look into the cache: an answer is given again only while nothing has changed in
what it was made from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Final

from shared.clock import Clock
from shared.errors import ForebayError
from shared.messages.body import Body
from shared.messages.dead_letter import DeadReason
from shared.messages.item import Item, MessageItem, Role
from shared.telemetry.logs import get_logger
from workers.steps.searching.retriever import Retriever
from workers.turn import Turn, TurnSearch

_FENCE_BYTES: Final = 8


class Survey:
    """Notes on the turn what will be searched. Where the index does not say, the turn goes on
    without it, unless its caller wants no answer then."""

    name = "survey"

    def __init__(self, retriever: Retriever, *, seconds: float, clock: Clock) -> None:
        self._retriever = retriever
        self._seconds = seconds
        self._clock = clock
        self._log = get_logger(__name__)

    async def __call__(self, turn: Turn) -> None:
        search = turn.body.file_search
        if search is None or not turn.body.searches:
            return
        asked = TurnSearch(
            question=last_words(turn.items),
            fence=token_hex(_FENCE_BYTES),
            keeps_found=search.tells_results,
            cites=not _wants_json(turn.body),
        )
        try:
            async with asyncio.timeout(self._seconds):
                editions = await self._retriever.editions(
                    turn.record.tenant_id, search.vector_store_ids
                )
        except (ForebayError, TimeoutError) as error:
            self._log.warning("index_away", step=self.name, error=type(error).__name__)
            go_without(turn, asked, self._clock)
            return
        turn.search = replace(asked, editions=tuple(sorted(editions)))


def last_words(items: Sequence[Item]) -> str:
    """What the user said last, be it before calls of tools; empty where that is no text."""
    for item in reversed(items):
        if isinstance(item, MessageItem) and item.role is Role.USER:
            return item.text().strip()
    return ""


def _wants_json(body: Body) -> bool:
    """Whether the answer is JSON, in which a number in brackets is a list."""
    form = body.text.format if body.text else None
    return form is not None and form.type != "text"


def go_without(turn: Turn, search: TurnSearch, clock: Clock) -> None:
    """The index is away: say so in the response, or end the turn where it may not do without."""
    turn.search = replace(search, is_away=True, cites=False)
    choice = turn.body.tool_choice
    if choice is not None and choice.needs_search:
        detail = "The index did not answer, and 'tool_choice' demands a search."
        turn.fail(DeadReason.SEARCH_UNAVAILABLE, detail, clock.now())
        return
    turn.tell(dropped=("file_search",))
