"""The embedder: lines that ask for vectors are answered by the encoders, a group at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from shared.batches.batch import Batch
from shared.batches.state import BatchEndpoint, BatchState
from shared.batches.work import BatchWork, NewLine
from shared.clock import Clock
from shared.errors import NotFound, Unavailable
from shared.files.content_store import ContentStore
from shared.telemetry.logs import get_logger
from workers.batching.input_lines import InputLine, LinesOfInput
from workers.batching.line_encoding import LineEncoding, Texts
from workers.batching.line_group import LineGroup
from workers.batching.line_message import LineMessage

_MOST_TEXTS: Final = 256
_MOST_LINES: Final = 128
_ROUND_SECONDS: Final = 10.0
"""A round begins no group after so long: its lease must not run out meanwhile."""


class _ReadLine(NamedTuple):
    line: InputLine
    asked: Texts | NewLine


class Embedder:
    """Answers batches of POST /v1/embeddings whose input is valid, in the order of their lines.

    The answers of a group and how far the input is read are one commit, so each line is answered
    once: what nobody has committed is encoded again, and who comes second writes nothing. Raises
    Unavailable, as where the encoder is away: it goes on from there in the next round.
    """

    def __init__(
        self, work: BatchWork, store: ContentStore, encoding: LineEncoding, clock: Clock
    ) -> None:
        self._work = work
        self._store = store
        self._encoding = encoding
        self._clock = clock
        self._log = get_logger(__name__)

    async def __call__(self) -> None:
        """One round; a fault in one batch costs the others nothing."""
        until, behind = self._clock.monotonic() + _ROUND_SECONDS, ""
        while batches := await self._work.open(behind=behind):
            for each in batches:
                if self._clock.monotonic() > until:
                    return
                await self._tried(each, until)
            behind = batches[-1].id

    async def _tried(self, of: Batch, until: float) -> None:
        is_ready = of.total is not None and of.expanded_at is None
        if of.endpoint is not BatchEndpoint.EMBEDDINGS or not is_ready:
            return
        try:
            await self._step(of, until)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - the border of one batch: the others go on
            self._log.exception("batch_not_embedded", batch=of.id)

    async def _step(self, of: Batch, until: float) -> None:
        lines = LinesOfInput(self._store, of.content_id, of.input_bytes)
        group, read, is_cut = LineGroup(of.cursor_bytes, of.cursor_line), list[_ReadLine](), False
        try:
            async for line in lines.behind(of.cursor_bytes, of.cursor_line):
                if _is_full(read):
                    if not await self._write(of, group, read) or self._clock.monotonic() > until:
                        return
                    group, read = group.following(), []
                read.append(_ReadLine(line, self._encoding.read(line, of)))
        except NotFound:
            is_cut = True
        group.is_cut = is_cut
        await self._write(of, group, read, is_last=True)

    async def _write(
        self, of: Batch, group: LineGroup, read: Sequence[_ReadLine], *, is_last: bool = False
    ) -> bool:
        """Whether it was written here, and what follows is still wanted as this was."""
        asked = [each.asked for each in read]
        is_over = of.state is BatchState.CANCELLING or self._clock.now() >= of.expires_at
        if is_over:
            became = [each.unbegun() if isinstance(each, Texts) else each for each in asked]
        else:
            became = await self._encoding.answered(asked)
        for each, line in zip(read, became, strict=True):
            group.add(each.line, LineMessage(line, None))
        state = await self._work.expand(of, group.expanded(is_last=is_last))
        return state is of.state


def _is_full(read: Sequence[_ReadLine]) -> bool:
    texts = sum(len(each.asked.texts) for each in read if isinstance(each.asked, Texts))
    return len(read) >= _MOST_LINES or texts >= _MOST_TEXTS
