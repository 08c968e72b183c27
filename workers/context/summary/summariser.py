"""Compress what is old: an older summary and what was said since become a new summary."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final

from shared.clock import Clock
from shared.costs.purse import Purse
from shared.messages.record import MessageRecord
from shared.telemetry.metrics import Metrics
from workers.context.summary.cheap_model import CheapModel
from workers.context.summary.summary_store import Summary, SummaryStore
from workers.context.summary.talk import Talk
from workers.context.summary.wording import instructions, material
from workers.context.tokens import TokenCounter
from workers.turn import Booking

_CALLS_AT_ONCE: Final = 3
"""A talk that is longer is summarised on, by the next turns."""
_LEASE_SLACK_SECONDS: Final = 5.0
_WORDS_PER_TOKEN: Final = 0.7


class Summariser:
    """Covers a talk up to its last five items, a readable part at a time.

    One process of the fleet at a time does it for a conversation; the others leave it be.
    """

    def __init__(
        self,
        model: CheapModel,
        store: SummaryStore,
        counter: TokenCounter,
        *,
        reading_tokens: int,
        summary_tokens: int,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._model = model
        self._store = store
        self._counter = counter
        self._reading_tokens = reading_tokens
        self._summary_tokens = summary_tokens
        self._metrics = metrics
        self._clock = clock

    async def find(self, talk: Talk) -> Summary | None:
        """The summary that covers most of the talk."""
        return await self._store.find(talk)

    async def extend(
        self,
        talk: Talk,
        record: MessageRecord,
        *,
        seconds: float,
        purse: Purse | None = None,
        book: Booking,
    ) -> Summary | None:
        """Summarise what is not yet, on behalf of the message, within `seconds`.

        The summary there is now, if any; `book` is told of each call.
        """
        if talk.root is None:
            return None
        deadline = self._clock.now() + timedelta(seconds=seconds)
        async with self._store.alone(talk, seconds=seconds + _LEASE_SLACK_SECONDS) as alone:
            if alone:
                write = partial(
                    self._model.write, record=record, deadline=deadline, purse=purse, book=book
                )
                return await self._extend(talk, write)
        self._metrics.context_summaries.labels("busy").inc()
        return None

    async def _extend(
        self, talk: Talk, write: Callable[..., Awaitable[str | None]]
    ) -> Summary | None:
        # Whoever was here before may have just done it.
        summary = await self._store.find(talk)
        for _ in range(_CALLS_AT_ONCE):
            until = self._next_checkpoint(talk, summary)
            if until is None:
                break
            written = await write(
                instructions(words=int(self._summary_tokens * _WORDS_PER_TOKEN)),
                _material(talk, summary, until),
                max_output_tokens=self._summary_tokens,
            )
            self._metrics.context_summaries.labels("written" if written else "failed").inc()
            if not written:
                break
            summary = Summary(written, until)
            await self._store.keep(talk, summary)
        return summary

    def _next_checkpoint(self, talk: Talk, summary: Summary | None) -> int | None:
        """How far one call can read; at least to the next checkpoint."""
        covered = summary.covered if summary else 0
        tokens, reached = 0, None
        for length in talk.checkpoints:
            if length <= covered:
                continue
            part = talk.items[reached or covered : length]
            tokens += sum(self._counter.count(item.text()) for item in part)
            if reached is not None and tokens > self._reading_tokens:
                break
            reached = length
        return reached


def _material(talk: Talk, summary: Summary | None, until: int) -> str:
    if summary is None:
        return material(None, talk.items[:until])
    return material(summary.text, talk.items[summary.covered : until])
