"""The expander: a batch's input is validated whole, then becomes messages a group at a time."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy.exc import DBAPIError

from shared.batches.batch import Batch
from shared.batches.batch_budget import BatchBudget
from shared.batches.state import BatchEndpoint, BatchState
from shared.batches.work import BatchWork
from shared.clock import Clock
from shared.errors import NotFound, Unavailable
from shared.files.content_store import ContentStore
from shared.persistence.statements import is_about_values
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.batching.batch_request import LineFaulty, read_batch_request
from workers.batching.batch_turns import BatchTurns
from workers.batching.input_lines import InputLine, LinesOfInput
from workers.batching.line_group import LineGroup
from workers.batching.line_message import LineMessage, LineMessages, unread_line
from workers.batching.sending import LineSender
from workers.batching.validation import validate
from workers.batching.writing_behind import WritingBehind

_GROUPS_A_TURN: Final = 25
"""Then another batch has its turn: a large one keeps no small one waiting."""
_READ_AT_ONCE: Final = 20
"""Lines that are read before others have the event loop."""
_ROUND_SECONDS: Final = 10.0
"""A round begins no turn after so long: its lease must not run out meanwhile."""
_BAD_VALUE: Final = "A value of this line cannot be kept. Look for characters that nobody means."


class Expander:
    """Takes each batch a step further in a round, until all its lines are in the ledger.

    A group of lines, their messages and how far the input is read are one commit: so it goes on
    where anybody was interrupted, and any number may expand one batch. Raises Unavailable.
    """

    def __init__(
        self,
        work: BatchWork,
        store: ContentStore,
        messages: LineMessages,
        sender: LineSender,
        budget: BatchBudget,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._work = work
        self._store = store
        self._messages = messages
        self._sender = sender
        self._budget = budget
        self._metrics = metrics
        self._clock = clock
        self._log = get_logger(__name__)
        self._turns = BatchTurns(work, clock)

    async def __call__(self) -> None:
        """Turns of all open batches, again while that has come to something."""
        until = self._clock.monotonic() + _ROUND_SECONDS
        turns = self._turns
        while await turns.round(self._tried, until=until) and self._clock.monotonic() < until:
            pass

    async def _tried(self, of: Batch) -> bool:
        """A fault in one costs the others nothing."""
        try:
            return await self.step(of)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - the border of one batch: the others go on
            self._log.exception("batch_not_expanded", batch=of.id)
            return False

    async def step(self, of: Batch) -> bool:
        """Validate it, or expand some of it; False where there was nothing to do."""
        if of.state is BatchState.VALIDATING:
            await self._validate(of)
            return True
        if of.is_uncounted:
            await self._work.count(of, total=await self._lines(of).count())
            return True
        if of.expanded_at is not None or of.total is None:
            return False
        if of.endpoint is BatchEndpoint.EMBEDDINGS:
            return False  # its lines become no messages: the embedder answers them
        await self._expand(of)
        return True

    async def _validate(self, of: Batch) -> None:
        found = await validate(of, self._store)
        if found.faults:
            if await self._work.refuse(of, found.faults):
                self._metrics.batches.labels(BatchState.FAILED).inc()
                if of.set_aside_each is not None:
                    await self._budget.release(of.tenant_id, of.id)
            return
        estimate = found.estimate(of.estimate)
        await self._work.begin(of, total=found.lines, model=found.model, estimate=estimate)

    def _lines(self, of: Batch) -> LinesOfInput:
        return LinesOfInput(self._store, of.content_id, of.input_bytes)

    async def _expand(self, of: Batch) -> None:
        is_held = await self._sender.is_held()
        group, begun = LineGroup(of.cursor_bytes, of.cursor_line), 0
        async with WritingBehind() as writing:
            try:
                async for line in self._lines(of).behind(of.cursor_bytes, of.cursor_line):
                    if group.is_full:
                        if not await writing.begin(self._write(of, group, is_last=False)):
                            return
                        group, begun = group.following(), begun + 1
                        if begun >= _GROUPS_A_TURN:
                            return
                    group.add(line, self._read(line, of, is_held=is_held))
                    if len(group.lines) % _READ_AT_ONCE == 0:
                        await asyncio.sleep(0)
            except NotFound:
                group.is_cut = True
            await writing.begin(self._write(of, group, is_last=True))

    def _read(self, line: InputLine, of: Batch, *, is_held: bool) -> LineMessage:
        try:
            request = read_batch_request(line, of)
        except LineFaulty as error:  # another version found nothing wrong with it
            return LineMessage(unread_line(error.fault), None)
        return self._messages.of(request, line.number, of, is_held=is_held)

    async def _write(self, of: Batch, group: LineGroup, *, is_last: bool) -> bool:
        """Whether it was written here, so that what follows may be."""
        expanded = group.expanded(is_last=is_last)
        try:
            state = await self._work.expand(of, expanded)
        except DBAPIError as error:
            if not is_about_values(error):
                raise
            self._log.warning("line_not_kept", batch=of.id, lines=len(group.lines))
            return await self._write_apart(of, group, is_last=is_last)
        if state is BatchState.IN_PROGRESS:
            await self._sender.send(expanded.messages)
        return state is not None

    async def _write_apart(self, of: Batch, group: LineGroup, *, is_last: bool) -> bool:
        """One value that the database cannot hold costs its own line alone."""
        if len(group.lines) == 1:
            return await self._write(of, group.refused(_BAD_VALUE), is_last=is_last)
        parts = group.apart()
        for nth, part in enumerate(parts, start=1):
            if not await self._write(of, part, is_last=is_last and nth == len(parts)):
                return False
        return True
