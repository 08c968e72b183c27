"""What a server of embeddings answers, read and held against what was asked."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from shared.embeddings.encoder import EncoderUnavailable
from shared.embeddings.text_model import of_length_1

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors


class _Embedding(msgspec.Struct, frozen=True):
    index: int
    embedding: list[float] | str
    """Numbers, or float32 in base64 from servers that know only that."""


class _EmbeddingUsage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    total_tokens: int = 0


class _Embeddings(msgspec.Struct, frozen=True):
    data: list[_Embedding]
    usage: _EmbeddingUsage | None = None


_decoder = msgspec.json.Decoder(_Embeddings)


class RemoteAnswer(NamedTuple):
    """Vectors of length 1, in the order of the texts; 0 tokens where the server says none."""

    vectors: Vectors
    tokens: int


def read_answer(body: bytes, *, count: int, dimensions: int, who: str) -> RemoteAnswer:
    """Raises EncoderUnavailable where it is not what was asked for, and says what is wrong."""
    import numpy

    try:
        answer = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EncoderUnavailable(f"{who} sent what is no answer of /embeddings: {error}.") from None
    if sorted(each.index for each in answer.data) != list(range(count)):
        raise EncoderUnavailable(
            f"{who} sent {len(answer.data)} embeddings for {count} texts, or numbered them wrongly."
        )
    vectors = numpy.empty((count, dimensions), numpy.float32)
    for each in answer.data:
        numbers = _numbers(each.embedding, who)
        if numbers.shape != (dimensions,):
            raise EncoderUnavailable(
                f"{who} sent a vector of {len(numbers)} numbers, and the settings say "
                f"dimensions = {dimensions}. Set what the model's card says."
            )
        vectors[each.index] = numbers
    if not numpy.isfinite(vectors).all():
        raise EncoderUnavailable(f"{who} sent a vector with a NaN or an infinity in it.")
    usage = answer.usage or _EmbeddingUsage()
    return RemoteAnswer(of_length_1(vectors), usage.prompt_tokens or usage.total_tokens)


def _numbers(embedding: list[float] | str, who: str) -> Vectors:
    import numpy

    if not isinstance(embedding, str):
        return numpy.array(embedding, numpy.float32)
    try:
        content = binascii.a2b_base64(embedding, strict_mode=True)
        return numpy.frombuffer(content, "<f4")
    except ValueError as error:
        raise EncoderUnavailable(f"{who} sent a vector that is no base64 of floats.") from error
