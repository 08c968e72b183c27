"""The encoders that the settings name, for as long as they are needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from shared.embeddings.cards import EncoderRole, card_of, settings_of
from shared.embeddings.encoder import DualEncoders, Encoder
from shared.embeddings.model_shelf import ModelShelf
from shared.embeddings.processes.encoder_processes import EncoderProcesses
from shared.embeddings.processes.process_encoder import ProcessEncoder
from shared.embeddings.threaded import ThreadedEncoder
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.loading.secrets import with_encoder_keys


@asynccontextmanager
async def open_encoders(
    settings: EmbeddingSettings, *, processes: int = 0, niceness: int = 0
) -> AsyncIterator[DualEncoders]:
    """Both encoders; nothing is loaded or started before the first text.

    With `processes` every local model runs in so many processes of its own, one thread each. With
    none, the shipped model runs in threads of this one, for short questions; a model of torch still
    has a process. Raises SettingsError where a server's key cannot be had.
    """
    async with AsyncExitStack() as stack:
        opening = _Opening(with_encoder_keys(settings), processes, niceness)
        stack.push_async_callback(opening.close)
        text = opening.encoder(EncoderRole.TEXT)
        stack.push_async_callback(text.close)
        code = opening.encoder(EncoderRole.CODE)
        stack.push_async_callback(code.close)
        yield DualEncoders(text, text if text.name == code.name else code)


class _Opening:
    """What both encoders share."""

    def __init__(self, settings: EmbeddingSettings, count: int, niceness: int) -> None:
        self._settings = settings
        self._is_beside = count > 0
        self._processes = EncoderProcesses(settings, count=max(1, count), niceness=niceness)
        self._shelf = ModelShelf(settings)

    def encoder(self, role: EncoderRole) -> Encoder:
        card, settings = card_of(self._settings, role), settings_of(self._settings, role)
        if settings.kind.is_remote:
            from shared.embeddings.remote.remote_encoder import RemoteEncoder

            return RemoteEncoder(role, card, settings)
        if self._is_beside or settings.kind.needs_torch:
            return ProcessEncoder(
                role, card, self._processes, timeout_seconds=settings.timeout_seconds
            )
        return ThreadedEncoder(card, partial(self._shelf.model, role))

    async def close(self) -> None:
        await self._processes.close()
