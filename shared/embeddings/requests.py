"""A request of POST /v1/embeddings and its answer, for the door and for lines of batches."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from shared.decoding import Json, decode_json
from shared.embeddings.cards import EncoderRole, ModelCard, card_of, settings_of
from shared.errors import InvalidRequest, NotFound, TooLarge
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.storable_text import text_size

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors

MOST_TEXTS: Final = 2048
_Texts = Annotated[list[str], msgspec.Meta(min_length=1, max_length=MOST_TEXTS)]


class EmbeddingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts to embed; `model` is `text`, `code`, or the name of an encoder in the settings."""

    model: str
    input: str | _Texts
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None

    @property
    def texts(self) -> list[str]:
        """All of them."""
        return [self.input] if isinstance(self.input, str) else self.input


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


class EmbeddingModels:
    """What a caller may ask for, by name. A name of both encoders is that of the first."""

    def __init__(self, settings: EmbeddingSettings) -> None:
        self._settings = settings
        self.roles: dict[str, EncoderRole] = {str(role): role for role in EncoderRole}
        for role in EncoderRole:
            card: ModelCard = card_of(settings, role)
            for name in (card.name, settings_of(settings, role).model):
                if name:
                    self.roles.setdefault(name, role)

    def role_of(self, asked: EmbeddingRequest) -> EncoderRole:
        """Who encodes it; raises NotFound for the model, InvalidRequest for its dimensions."""
        role = self.roles.get(asked.model)
        if role is None:
            raise NotFound(
                f"The model '{asked.model[:128]}' does not exist, or makes no embeddings. Use one "
                f"of: {', '.join(self.roles)}.",
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


def decode_embedding_request(raw: Json) -> EmbeddingRequest:
    """The request; raises InvalidRequest naming the field."""
    try:
        return decode_json(_decoder, raw)
    except InvalidRequest as error:
        if (error.param or "").startswith("input"):
            raise InvalidRequest(
                f"{error.message} Send 1 to {MOST_TEXTS} texts; arrays of tokens are not taken, "
                "for they are another tokenizer's.",
                param=error.param,
            ) from None
        raise


def size_of_texts(texts: list[str], *, limit_bytes: int) -> int:
    """Their bytes; raises InvalidRequest for an empty one, TooLarge above the limit."""
    for place, text in enumerate(texts):
        if not text:
            raise InvalidRequest("The text is empty. Leave it out.", param=f"input[{place}]")
    size = sum(map(text_size, texts))
    if size > limit_bytes:
        raise TooLarge(
            f"The texts have {size} bytes, and {limit_bytes} are taken. Send fewer at once.",
            param="input",
        )
    return size


def embedding_list(vectors: Vectors, *, model: str, tokens: int, packed: bool) -> EmbeddingList:
    """The answer, of numbers or `packed` in base64."""
    written = pack_vector if packed else _numbers
    return EmbeddingList(
        [Embedding(index, written(vector)) for index, vector in enumerate(vectors)],
        model,
        EmbeddingTokens(tokens, tokens),
    )


def pack_vector(vector: Vectors) -> str:
    """Its bytes as little-endian float32, in base64."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _numbers(vector: Vectors) -> list[float] | str:
    numbers: list[float] = vector.tolist()
    return numbers
