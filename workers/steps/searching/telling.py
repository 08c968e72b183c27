"""A search on its way to whoever follows its answer as a stream."""

from __future__ import annotations

from dataclasses import replace

from shared.replies.event_sequence import search_begun, search_ended
from shared.replies.reply_stream import ReplyStream
from workers.steps.searching.citing import searched_output
from workers.steps.streaming import send_events, turn_begun
from workers.turn import Turn, TurnSearch


class SearchTelling:
    """Says when a search begins and when it ends, before there is any answer.

    Of a message that is not streamed nothing is said. Another attempt, be it another worker's,
    takes back what was said, as it does with text, and says it anew.
    """

    def __init__(self, replies: ReplyStream) -> None:
        self._replies = replies

    async def begin(self, turn: Turn, search: TurnSearch) -> TurnSearch:
        """Say that the turn and its search have begun; gives the search to go on with."""
        if not turn.is_streamed:
            return search
        turn.search = replace(search, is_told=True)
        [item] = searched_output(turn)
        await send_events(self._replies, turn.record, [*turn_begun(turn), *search_begun(item)])
        return turn.search

    async def end(self, turn: Turn) -> None:
        """Say that it has found what there is, or has failed, as the turn's search has it."""
        if turn.search is not None and turn.search.is_told:
            [item] = searched_output(turn)
            await send_events(self._replies, turn.record, search_ended(item))
