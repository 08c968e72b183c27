"""A loaded model: what every kind of it does, and what is the same for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from shared.embeddings.batching import batches, readable
from shared.embeddings.encoder import EncodedMany, EncoderPrompt, EncoderUnavailable

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors


class ReadText(NamedTuple):
    """A text as its model reads it, already cut to the limit."""

    tokens: Sequence[int]
    is_truncated: bool


class TextModel(Protocol):
    """Loaded, and used on whichever thread calls; many may call at once."""

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def token_limit(self) -> int:
        """Tokens that are seen of a text."""
        ...

    def read(self, text: str, prompt: EncoderPrompt) -> ReadText:
        """Tokens of a text, with what stands before it for this prompt."""
        ...

    def vectors(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """One for each text, of any length but 0."""
        ...


def encode_all(
    model: TextModel, texts: Sequence[str], *, prompt: EncoderPrompt, batch_tokens: int
) -> EncodedMany:
    """In batches of at most `batch_tokens`, padding included; raises EncoderUnavailable."""
    import numpy

    cleaned = [readable(text, model.token_limit) for text in texts]
    read = [model.read(text, prompt) for text, _ in cleaned]
    vectors = numpy.empty((len(texts), model.dimensions), numpy.float32)
    for places in batches([len(each.tokens) for each in read], budget=batch_tokens):
        vectors[places] = model.vectors([read[place].tokens for place in places])
    return EncodedMany(
        of_length_1(vectors),
        tuple(was_cut or one.is_truncated for (_, was_cut), one in zip(cleaned, read, strict=True)),
        sum(len(each.tokens) for each in read),
    )


def of_length_1(vectors: Vectors) -> Vectors:
    """Each divided by its length; raises EncoderUnavailable for one that has none."""
    import numpy

    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    if not (numpy.isfinite(lengths) & (lengths > 0)).all():
        raise EncoderUnavailable(
            "The model made a vector of zeros, or of what is no number: try another model."
        )
    unit: Vectors = vectors / lengths
    return unit
