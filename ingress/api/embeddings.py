"""POST /v1/embeddings: vectors from the encoders of the index, in OpenAI's shape."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from ingress.api.door import Door
from ingress.api.http.error_answer import Header
from ingress.api.http.errors import NO_RETRY, HttpRefusal
from ingress.api.http.exchange import Exchange
from ingress.api.metered_calls import MeteredCalls
from shared.decoding import decode_json
from shared.embeddings.cards import EncoderRole, ModelCard, card_of, settings_of
from shared.embeddings.encoder import DualEncoders, EncodedMany, Encoder, EncoderUnavailable
from shared.embeddings.extra import kind_missing
from shared.embeddings.opening import open_encoders
from shared.errors import InvalidRequest, NotFound, SettingsError, TooLarge
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.storable_text import text_size
from shared.telemetry.logs import get_logger

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors

MOST_TEXTS: Final = 2048
TRUNCATED: Final = b"x-forebay-truncated-inputs"
_MOST_NAMED: Final = 64
_NICENESS: Final = 5
_Texts = Annotated[list[str], msgspec.Meta(min_length=1, max_length=MOST_TEXTS)]


class EmbeddingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts to embed; `model` is `text`, `code`, or the name of an encoder in the settings."""

    model: str
    input: str | _Texts
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None


class Embedding(msgspec.Struct, frozen=True):
    """The vector of one text: numbers, or the bytes of little-endian float32 in base64."""

    index: int
    embedding: list[float] | str
    object: Literal["embedding"] = "embedding"


class EmbeddingTokens(msgspec.Struct, frozen=True):
    """What the model read."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(msgspec.Struct, frozen=True):
    """One vector of length 1 for each text, in their order."""

    data: list[Embedding]
    model: str
    usage: EmbeddingTokens
    object: Literal["list"] = "list"


_decoder: Final = msgspec.json.Decoder(EmbeddingRequest)


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
        self.models = _names(settings)

    async def create(self, exchange: Exchange) -> None:
        """Raises InvalidRequest, NotFound for the model, TooLarge, NotAdmitted, HttpRefusal."""
        caller = await self._door.caller(exchange)
        asked = _decoded(await self._door.read_json(exchange))
        role = self._role(asked)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        size = self._size(texts)
        encoder = await self._encoder(role)
        async with self._calls.admitted(caller.tenant, text_bytes=size) as headers:
            many = await self._encode(encoder, texts)
        told = _told(asked, encoder, many)
        await exchange.answer(200, msgspec.json.encode(told), [*headers, *_truncated(many)])

    async def close(self) -> None:
        """Finish what runs and give back what was loaded."""
        await self._stack.aclose()

    def _role(self, asked: EmbeddingRequest) -> EncoderRole:
        role = self.models.get(asked.model)
        if role is None:
            raise NotFound(
                f"The model '{asked.model[:128]}' does not exist, or makes no embeddings. Use one "
                f"of: {', '.join(self.models)}.",
                param="model",
                kind="model_not_found",
            )
        dimensions = card_of(self._settings, role).dimensions
        if asked.dimensions not in {None, dimensions}:
            raise InvalidRequest(
                f"The model '{asked.model}' makes vectors of {dimensions} numbers. Take "
                f"'dimensions' out, or set {dimensions}.",
                param="dimensions",
            )
        return role

    def _size(self, texts: list[str]) -> int:
        for place, text in enumerate(texts):
            if not text:
                raise InvalidRequest("The text is empty. Leave it out.", param=f"input[{place}]")
        size, limit = sum(map(text_size, texts)), self._door.settings.text_limit_bytes
        if size > limit:
            raise TooLarge(
                f"The texts have {size} bytes, and {limit} are taken. Send fewer at once.",
                param="input",
            )
        return size

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


def _names(settings: EmbeddingSettings) -> dict[str, EncoderRole]:
    """What a caller may ask for. A name of both encoders is that of the first."""
    names: dict[str, EncoderRole] = {str(role): role for role in EncoderRole}
    for role in EncoderRole:
        card: ModelCard = card_of(settings, role)
        for name in (card.name, settings_of(settings, role).model):
            if name:
                names.setdefault(name, role)
    return names


def _decoded(body: object) -> EmbeddingRequest:
    try:
        return decode_json(_decoder, body)  # type: ignore[arg-type]
    except InvalidRequest as error:
        if (error.param or "").startswith("input"):
            raise InvalidRequest(
                f"{error.message} Send 1 to {MOST_TEXTS} texts; arrays of tokens are not taken, "
                "for they are another tokenizer's.",
                param=error.param,
            ) from None
        raise


def _told(asked: EmbeddingRequest, encoder: Encoder, many: EncodedMany) -> EmbeddingList:
    written = _packed if asked.encoding_format == "base64" else _numbers
    return EmbeddingList(
        [Embedding(index, written(vector)) for index, vector in enumerate(many.vectors)],
        encoder.name,
        EmbeddingTokens(many.tokens, many.tokens),
    )


def _numbers(vector: Vectors) -> list[float] | str:
    numbers: list[float] = vector.tolist()
    return numbers


def _packed(vector: Vectors) -> list[float] | str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


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
