"""The embedder: lines that ask for vectors are answered by the encoders, a group at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from shared.batches.batch import Batch
from shared.batches.state import BatchEndpoint, BatchState
from shared.batches.work import BatchWork, NewLine
from shared.clock import Clock
from shared.embeddings.encoder import EncoderUnavailable
from shared.errors import NotFound, Unavailable
from shared.files.content_store import ContentStore
from shared.telemetry.logs import get_logger
from workers.batching.batch_turns import BatchTurns
from workers.batching.input_lines import InputLine, LinesOfInput
from workers.batching.line_encoding import LineEncoding, Texts
from workers.batching.line_group import LineGroup
from workers.batching.line_message import LineMessage

_MOST_TEXTS: Final = 256
_MOST_LINES: Final = 128
_MOST_CHARACTERS: Final = 4 * 1024 * 1024
_ROUND_SECONDS: Final = 10.0
"""A round begins no group after so long: its lease must not run out meanwhile."""


class _ReadLine(NamedTuple):
    line: InputLine
    asked: Texts | NewLine


class Embedder:
    """Answers batches of POST /v1/embeddings whose input is valid, in the order of their lines.

    The answers of a group and how far the input is read are one commit, so each line is answered
    once: what nobody has committed is encoded again, and who comes second writes nothing. Each
    batch has a group in its turn, so a large one keeps no small one waiting. Where an encoder is
    away its batches go on from there in a later round, and those of the other are not kept.
    Raises LedgerUnavailable.
    """

    def __init__(
        self, work: BatchWork, store: ContentStore, encoding: LineEncoding, clock: Clock
    ) -> None:
        self._work = work
        self._store = store
        self._encoding = encoding
        self._clock = clock
        self._log = get_logger(__name__)
        self._turns = BatchTurns(work, clock)

    async def __call__(self) -> None:
        """One round; a fault in one batch costs the others nothing."""
        until, away = self._clock.monotonic() + _ROUND_SECONDS, set[str | None]()
        turn = partial(self._tried, away=away)
        while await self._turns.round(turn, until=until) and self._clock.monotonic() < until:
            pass

    async def _tried(self, of: Batch, *, away: set[str | None]) -> bool:
        """False where there was nothing to do, or no encoder of its model: that is then `away`."""
        is_ready = of.total is not None and of.expanded_at is None
        if of.endpoint is not BatchEndpoint.EMBEDDINGS or not is_ready:
            return False
        if of.model in away and not self._is_over(of):
            return False
        try:
            return await self._step(of)
        except EncoderUnavailable as error:
            away.add(of.model)
            self._log.warning("encoder_unavailable", batch=of.id, reason=error.message)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - the border of one batch: the others go on
            self._log.exception("batch_not_embedded", batch=of.id)
        return False

    async def _step(self, of: Batch) -> bool:
        """Answer a group of its lines; whether there are more."""
        lines = LinesOfInput(self._store, of.content_id, of.input_bytes)
        group, read = LineGroup(of.cursor_bytes, of.cursor_line), list[_ReadLine]()
        try:
            async for line in lines.behind(of.cursor_bytes, of.cursor_line):
                if _is_full(read):
                    return await self._write(of, group, read)
                read.append(_ReadLine(line, self._encoding.read(line, of)))
        except NotFound:
            group.is_cut = True
        await self._write(of, group, read, is_last=True)
        return False

    async def _write(
        self, of: Batch, group: LineGroup, read: Sequence[_ReadLine], *, is_last: bool = False
    ) -> bool:
        """Whether it was written here."""
        asked = [each.asked for each in read]
        if self._is_over(of):
            became = [each.unbegun() if isinstance(each, Texts) else each for each in asked]
        else:
            became = await self._encoding.answered(asked)
        for each, line in zip(read, became, strict=True):
            group.add(each.line, LineMessage(line, None))
        return await self._work.expand(of, group.expanded(is_last=is_last)) is not None

    def _is_over(self, of: Batch) -> bool:
        return of.state is BatchState.CANCELLING or self._clock.now() >= of.expires_at


def _is_full(read: Sequence[_ReadLine]) -> bool:
    asked = [each.asked for each in read if isinstance(each.asked, Texts)]
    texts, characters = sum(len(each.texts) for each in asked), sum(each.length for each in asked)
    return len(read) >= _MOST_LINES or texts >= _MOST_TEXTS or characters >= _MOST_CHARACTERS
