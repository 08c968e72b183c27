"""A model that sentence-transformers knows: its pooling and its layers behind come with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.embeddings.encoder import EncoderPrompt
from shared.embeddings.text_model import ReadText
from shared.embeddings.torch_models.reading import ModelTokenizer
from shared.settings.indexing.encoder import EncoderSettings

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors


class SentenceTransformerModel:
    """On the CPU, in the precision it was stored in."""

    def __init__(self, settings: EncoderSettings, token_limit: int) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(
            settings.folder or settings.model,
            revision=None if settings.folder else settings.revision,
            trust_remote_code=settings.remote_code,
            device="cpu",
        ).eval()
        self._tokenizer = ModelTokenizer(self._model.tokenizer, settings, token_limit)

    @property
    def dimensions(self) -> int:
        """As the model says."""
        return int(self._model.get_embedding_dimension())

    @property
    def token_limit(self) -> int:
        """What it was trained to read."""
        return int(self._model.max_seq_length)

    def read(self, text: str, prompt: EncoderPrompt) -> ReadText:
        """Tokens of the prompt and the text."""
        return self._tokenizer.read(text, prompt)

    def vectors(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """One for each; padding is masked."""
        import torch

        with torch.inference_mode():
            made = self._model(self._tokenizer.padded(batch))["sentence_embedding"]
        vectors: Vectors = made.float().numpy()
        return vectors
