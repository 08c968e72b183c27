"""The vectors of chunks: out of the cache, or made and given to be kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from indexer.documents.planning import PlannedChunk
from shared.embeddings.encoder import DualEncoders, Encoder, EncoderUnavailable
from shared.index.chunk import CachedVector
from shared.index.embedding_cache import EVERYBODY, EmbeddingCache

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors


class EmbeddedChunks:
    """The vectors of some chunks, by encoder and text; `made` are those that no cache has yet, and
    `tokens` what encoders read of them.
    """

    def __init__(
        self,
        vectors: dict[tuple[str, str], bytes],
        made: Sequence[CachedVector],
        tokens: int = 0,
    ) -> None:
        self._vectors = vectors
        self.made = tuple(made)
        self.tokens = tokens
        self._made_of = {each.digest for each in made}

    def is_made_for(self, chunk: PlannedChunk) -> bool:
        """Whether a vector of the chunk was not known before."""
        stored = chunk.stored
        return not self._made_of.isdisjoint((stored.text_digest, stored.code_digest))

    def of(self, encoder: Encoder, digest: str | None) -> list[float] | None:
        """The vector of a text of one of the chunks."""
        if digest is None:
            return None
        import numpy

        kept = self._vectors[encoder.name, digest]
        vector: list[float] = numpy.frombuffer(kept, "<f4").tolist()
        return vector


WITHOUT_VECTORS: Final = EmbeddedChunks({}, ())


class ChunkEmbedding:
    """Embeds what was never embedded for the tenant: by the text itself, wherever it stands."""

    def __init__(
        self, encoders: DualEncoders, cache: EmbeddingCache, *, tenants_share: bool
    ) -> None:
        self._encoders = encoders
        self._cache = cache
        self._tenants_share = tenants_share

    async def embed(self, tenant_id: str, chunks: Iterable[PlannedChunk]) -> EmbeddedChunks:
        """The vectors of all of them. Raises EncoderUnavailable and LedgerUnavailable."""
        owner = EVERYBODY if self._tenants_share else tenant_id
        vectors: dict[tuple[str, str], bytes] = {}
        made: list[CachedVector] = []
        tokens = 0
        for encoder, texts in self._texts(chunks):
            known = await self._cache.find(owner, encoder.name, [*texts])
            missing = {digest: text for digest, text in texts.items() if digest not in known}
            fresh, read = await _encoded(encoder, missing) if missing else ({}, 0)
            tokens += read
            made += (
                CachedVector(owner, encoder.name, digest, vector)
                for digest, vector in fresh.items()
                if _is_sound(vector)
            )
            for digest, vector in (known | fresh).items():
                vectors[encoder.name, digest] = vector
        return EmbeddedChunks(vectors, made, tokens)

    def _texts(self, chunks: Iterable[PlannedChunk]) -> list[tuple[Encoder, dict[str, str]]]:
        """What each encoder reads, once where both are one."""
        text, code = self._encoders
        wanted: dict[str, dict[str, str]] = {text.name: {}, code.name: {}}
        for each in chunks:
            stored, cut = each.stored, each.cut
            if stored.text_digest is not None:
                wanted[text.name][stored.text_digest] = cut.for_text
            if stored.code_digest is not None and cut.for_code is not None:
                wanted[code.name][stored.code_digest] = cut.for_code
        encoders = {text.name: text, code.name: code}
        return [(encoders[name], texts) for name, texts in wanted.items() if texts]


def _is_sound(vector: bytes) -> bool:
    """Whether it may be kept: what a broken model gave is asked for again."""
    import numpy

    numbers = numpy.frombuffer(vector, "<f4")
    return bool(numpy.isfinite(numbers).all() and numbers.any())


async def _encoded(encoder: Encoder, texts: dict[str, str]) -> tuple[dict[str, bytes], int]:
    """Their vectors, and how many tokens were read."""
    encoded = await encoder.encode_many([*texts.values()])
    vectors: Vectors = encoded.vectors
    rows = vectors.astype("<f4", copy=False)
    if rows.shape != (len(texts), encoder.dimensions):
        raise EncoderUnavailable(
            f"The encoder {encoder.name} gave vectors of the shape {rows.shape} for "
            f"{len(texts)} texts of {encoder.dimensions} numbers each: look at its model."
        )
    of = {digest: row.tobytes() for digest, row in zip(texts, rows, strict=True)}
    return of, encoded.tokens
