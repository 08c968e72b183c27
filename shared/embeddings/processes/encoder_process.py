"""One process of models: started when it is needed, and again after it died."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from shared.embeddings.cards import EncoderRole
from shared.embeddings.encoder import EncoderPrompt, EncoderUnavailable
from shared.embeddings.processes.frames import (
    EncodeTexts,
    NotEncoded,
    TextsEncoded,
    framed,
    next_told,
)
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderSettings

_LOAD_SECONDS: Final = 180.0
"""For a model to be loaded; torch alone takes ten on a busy machine."""
_END_SECONDS: Final = 2.0
_ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


class EncoderProcess:
    """Encodes one batch at a time, on one thread; it ends with the process that started it."""

    def __init__(self, settings: EmbeddingSettings, *, niceness: int) -> None:
        self._settings = msgspec.json.encode(_local(settings)).decode()
        self._niceness = niceness
        self._process: asyncio.subprocess.Process | None = None
        self._loaded: set[EncoderRole] = set()

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process else None

    async def encode(
        self, role: EncoderRole, texts: Sequence[str], prompt: EncoderPrompt, *, seconds: float
    ) -> TextsEncoded:
        """One batch, where no other is under way.

        Raises EncoderUnavailable where the process died or took longer: it may be asked again, and
        another is started then.
        """
        process = self._process or await self._start()
        if role not in self._loaded:
            await self._exchange(process, EncodeTexts(role, (), prompt), seconds=_LOAD_SECONDS)
            self._loaded.add(role)
        return await self._exchange(
            process, EncodeTexts(role, tuple(texts), prompt), seconds=seconds
        )

    async def close(self) -> None:
        """End it."""
        process, self._process = self._process, None
        self._loaded.clear()
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "shared.embeddings.processes"),
            *(str(os.getpid()), str(self._niceness), self._settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD},
            start_new_session=True,  # a Ctrl-C in the terminal is for its starter
        )
        return self._process

    async def _exchange(
        self, process: asyncio.subprocess.Process, asked: EncodeTexts, *, seconds: float
    ) -> TextsEncoded:
        try:
            async with asyncio.timeout(seconds):
                told = await _exchange(process, asked)
        except TimeoutError as error:
            await self._kill(process)
            raise EncoderUnavailable(
                f"The process of the encoders did not answer within {seconds:g} s and was ended. "
                f"Raise embeddings.{asked.role}.timeout_seconds, or lower its batch_tokens.",
                retry_after_seconds=1.0,
            ) from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            status = await self._kill(process)
            raise EncoderUnavailable(
                f"The process of the encoders ended with {status}; the next call starts another.",
                retry_after_seconds=1.0,
            ) from error
        except asyncio.CancelledError:
            await self._kill(process)  # else its answer would be taken for the next one
            raise
        if isinstance(told, NotEncoded):
            raise EncoderUnavailable(told.message)
        return told

    async def _kill(self, process: asyncio.subprocess.Process) -> int:
        self._process = None
        self._loaded.clear()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        return await process.wait()


async def _exchange(
    process: asyncio.subprocess.Process, asked: EncodeTexts
) -> TextsEncoded | NotEncoded:
    if process.stdin is None or process.stdout is None:
        raise ConnectionError
    process.stdin.write(framed(asked))
    await process.stdin.drain()
    return await next_told(process.stdout)


def _local(settings: EmbeddingSettings) -> EmbeddingSettings:
    """What a process is told: nothing of models that run elsewhere, and no keys."""
    return msgspec.structs.replace(
        settings, text=_without_server(settings.text), code=_without_server(settings.code)
    )


def _without_server(settings: EncoderSettings) -> EncoderSettings:
    return EncoderSettings() if settings.kind.is_remote else settings
