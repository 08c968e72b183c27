"""Packing: what waits in the batch lane and can, made into a provider's batches and handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.batches.provider_batch import ProviderBatch, WaitingMessage
from shared.batches.provider_batches import ProviderBatchBook
from shared.clock import Clock
from shared.messages.record import MessageRecord
from shared.settings.deployment import ProviderBatchSettings
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.batching.provider_batches.batched_turns import BatchedTurns
from workers.batching.provider_batches.bins import BatchBin, BatchBins, new_batch_id
from workers.batching.provider_batches.ladder import BatchDurations, latest_wait
from workers.providers.batching.batch_provider import BatchProvider
from workers.providers.failures import ProviderError

SUBMIT_SECONDS: Final = 600.0
"""A batch that is not known to be handed over by then is looked for, or its messages go back."""
_BYTES_PER_TOKEN: Final = 4
_SIDE_BY_SIDE: Final = 32
_FIRST_REST_SECONDS: Final = 30.0
_LONGEST_REST_SECONDS: Final = 900.0


class Packing:
    """One provider's. One round makes what is due of what waits now; raises LedgerUnavailable.

    A batch and its messages are on record before it is handed over.
    """

    def __init__(
        self,
        provider: BatchProvider,
        settings: ProviderBatchSettings,
        *,
        book: ProviderBatchBook,
        turns: BatchedTurns,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._settings = settings
        self._book = book
        self._turns = turns
        self._metrics = metrics
        self._clock = clock
        self._rests_until = 0.0
        self._failures = 0
        self._log = get_logger(__name__)

    async def __call__(self) -> None:
        if self._clock.monotonic() < self._rests_until:
            return
        chosen = await self._chosen()
        if not chosen:
            return
        now, pull = self._clock.now(), min(at for at, _ in chosen)
        batch = ProviderBatch(
            id=new_batch_id(),
            provider=self._provider.name,
            created_at=now,
            pull_at=pull,
            look_at=min(pull, now + timedelta(seconds=SUBMIT_SECONDS)),
        )
        records = await self._book.claim(batch, [each.id for _, each in chosen])
        for made in await self._made(batch, records):
            await self._submit(made, pull_at=pull)

    def rest(self) -> None:
        """Hand nothing over for a while, longer each time in a row."""
        seconds = min(_LONGEST_REST_SECONDS, _FIRST_REST_SECONDS * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        self._rests_until = self._clock.monotonic() + seconds

    async def _chosen(self) -> list[tuple[datetime, WaitingMessage]]:
        """Messages that can wait for a batch, with when each cannot any more; no two of which one
        would have to be taken back long before the other."""
        settings, now = self._settings, self._clock.now()
        waiting = await self._book.waiting(settings.most_requests, deadline_after=now)
        if not waiting:
            return []
        name, expected = self._provider.name, settings.expected_seconds
        durations = BatchDurations(await self._book.took(name), expected_seconds=expected)
        by = now + timedelta(seconds=durations.p95(len(waiting)))
        able = [(latest_wait(each.accepted_at, each.deadline), each) for each in waiting]
        able = sorted((pair for pair in able if pair[0] >= by), key=lambda pair: pair[0])
        filled_by = min((each.accepted_at for _, each in able), default=now)
        filled_by += timedelta(seconds=settings.fill_seconds)
        if not able or (len(able) < settings.most_requests and now < filled_by):
            return []
        tokens = await self._room()
        return [*_within(able, now + 2 * (able[0][0] - now), tokens)]

    async def _room(self) -> int:
        """Tokens that may be claimed: as many as fit into one batch, and into the provider."""
        room = self._settings.most_bytes // _BYTES_PER_TOKEN
        limit = self._settings.enqueued_tokens
        enqueued = await self._book.enqueued_tokens(self._provider.name)
        self._metrics.provider_batch_enqueued_tokens.labels(self._provider.name).set(enqueued)
        return room if limit is None else min(room, limit - enqueued)

    async def _made(self, batch: ProviderBatch, records: list[MessageRecord]) -> list[BatchBin]:
        """The messages as batches of one model each, on record; the first is `batch` itself."""
        most = self._settings.most_bytes
        bins = BatchBins(self._provider, first_id=batch.id, most_bytes=most)
        back: list[str] = []
        while records:
            some, records[:_SIDE_BY_SIDE] = records[:_SIDE_BY_SIDE], []
            prompts = await asyncio.gather(*map(self._turns.prompt_of, some))
            for record, prompt in zip(some, prompts, strict=True):
                if prompt is None or not bins.put(record, prompt):
                    back.append(record.id)
        if back:
            await self._book.give_back(batch.id, back)
        for other in bins.made[1:]:
            row = ProviderBatch(
                id=other.id,
                provider=batch.provider,
                created_at=batch.created_at,
                pull_at=batch.pull_at,
                look_at=batch.look_at,
            )
            await self._book.split(batch.id, row, other.message_ids)
        if not bins.made:
            await self._book.end(batch.id, reason="none of its messages was for a batch")
        return bins.made

    async def _submit(self, made: BatchBin, *, pull_at: datetime) -> None:
        requests, name = len(made.requests), self._provider.name
        await self._book.pack(made.id, model=made.model, requests=requests, tokens=made.tokens)
        remote_id, reason = None, ""
        try:
            async with asyncio.timeout(SUBMIT_SECONDS / 2):
                remote_id = await self._provider.submit(made.requests, key=made.id)
        except (ProviderError, TimeoutError) as error:
            reason = str(error) or "it took too long"
            self._log.warning("batch_not_taken", provider=name, requests=requests, reason=reason)
            self.rest()
            status = error.status if isinstance(error, ProviderError) else None
            if status is None or status >= 500:
                # Its answer may be what was lost. Where nobody can say, who looks at it will.
                try:
                    remote_id = await self._provider.find(made.id)
                except ProviderError:
                    return
        if remote_id is None:
            await self._book.end(made.id, reason=f"not taken: {reason}")
            self._metrics.provider_batches.labels(name, "refused").inc()
            return
        await self.taken(made.id, remote_id, pull_at=pull_at)

    async def taken(self, batch_id: str, remote_id: str, *, pull_at: datetime) -> None:
        """Note that the provider has it."""
        first = self._clock.now() + timedelta(seconds=self._settings.poll_seconds)
        await self._book.submitted(batch_id, remote_id, look_at=min(first, pull_at))
        self._metrics.provider_batches.labels(self._provider.name, "submitted").inc()
        self._log.info("batch_submitted", batch=batch_id, remote=remote_id)


def _within(
    able: Sequence[tuple[datetime, WaitingMessage]], latest: datetime, tokens: int
) -> Iterator[tuple[datetime, WaitingMessage]]:
    for at, each in able:
        tokens -= each.estimated_tokens
        if at > latest or tokens < 0:
            return
        yield at, each
