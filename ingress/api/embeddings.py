"""POST /v1/embeddings: vectors from the encoders of the index, in OpenAI's shape."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final

import msgspec

from ingress.api.door import Door
from ingress.api.http.error_answer import Header
from ingress.api.http.errors import NO_RETRY, HttpRefusal
from ingress.api.http.exchange import Exchange
from ingress.api.metered_calls import MeteredCalls
from shared.embeddings.cards import EncoderRole, settings_of
from shared.embeddings.encoder import DualEncoders, EncodedMany, Encoder, EncoderUnavailable
from shared.embeddings.extra import kind_missing
from shared.embeddings.opening import open_encoders
from shared.embeddings.requests import (
    EmbeddingModels,
    decode_embedding_request,
    embedding_list,
    size_of_texts,
)
from shared.errors import SettingsError
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.telemetry.logs import get_logger

TRUNCATED: Final = b"x-forebay-truncated-inputs"
_MOST_NAMED: Final = 64
_NICENESS: Final = 5


class Embeddings:
    """Encodes for callers in a process of its own, which is started when first asked.

    Texts by the thousand keep a core busy for seconds, and messages are not to wait for it. Each
    call counts against the tenant's limits as a message of so much text does, and is held to the
    door's limit of text.
    """

    def __init__(self, door: Door, calls: MeteredCalls, settings: EmbeddingSettings) -> None:
        self._door = door
        self._calls = calls
        self._settings = settings
        self._stack = AsyncExitStack()
        self._opened: DualEncoders | None = None
        self._log = get_logger(__name__)
        self._models = EmbeddingModels(settings)
        self.models = self._models.roles

    async def create(self, exchange: Exchange) -> None:
        """Raises InvalidRequest, NotFound for the model, TooLarge, NotAdmitted, HttpRefusal."""
        caller = await self._door.caller(exchange)
        asked = decode_embedding_request(await self._door.read_json(exchange))
        role, texts = self._models.role_of(asked), asked.texts
        size = size_of_texts(texts, limit_bytes=self._door.settings.text_limit_bytes)
        encoder = await self._encoder(role)
        async with self._calls.admitted(caller.tenant, text_bytes=size) as headers:
            many = await self._encode(encoder, texts)
        is_packed = asked.encoding_format == "base64"
        told = embedding_list(
            many.vectors, model=encoder.name, tokens=many.tokens, packed=is_packed
        )
        await exchange.answer(200, msgspec.json.encode(told), [*headers, *_truncated(many)])

    async def close(self) -> None:
        """Finish what runs and give back what was loaded."""
        await self._stack.aclose()

    async def _encoder(self, role: EncoderRole) -> Encoder:
        if reason := kind_missing(settings_of(self._settings, role).kind):
            raise HttpRefusal(501, reason, code="encoder_not_installed", headers=(NO_RETRY,))
        try:
            if self._opened is None:
                opening = open_encoders(self._settings, processes=1, niceness=_NICENESS)
                self._opened = await self._stack.enter_async_context(opening)
        except SettingsError as error:
            self._log.error("encoder_off", reason=error.message)
            raise _away() from error
        return self._opened.code if role is EncoderRole.CODE else self._opened.text

    async def _encode(self, encoder: Encoder, texts: list[str]) -> EncodedMany:
        try:
            return await encoder.encode_many(texts)
        except EncoderUnavailable as error:
            self._log.warning("encoder_unavailable", encoder=encoder.name, reason=error.message)
            raise _away() from error


def _truncated(many: EncodedMany) -> list[Header]:
    """Which texts have an end that the model did not see."""
    cut = [str(place) for place, is_cut in enumerate(many.truncated) if is_cut]
    return [(TRUNCATED, ", ".join(cut[:_MOST_NAMED]).encode())] if cut else []


def _away() -> HttpRefusal:
    return HttpRefusal(
        503,
        "The encoder cannot answer now; the door's log says why. Try again.",
        code="encoder_unavailable",
        headers=((b"retry-after", b"1"),),
    )
