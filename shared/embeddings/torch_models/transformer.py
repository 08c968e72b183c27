"""A model that only transformers knows: pooled here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.embeddings.encoder import EncoderPrompt
from shared.embeddings.text_model import ReadText
from shared.embeddings.torch_models.reading import ModelTokenizer
from shared.settings.indexing.encoder import EncoderSettings, Pooling

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors

_BOUNDLESS = 1_000_000
"""Tokenizers say more where nothing bounds them."""


class TransformerModel:
    """On the CPU. Python that came with it runs only where the settings allow and name it."""

    def __init__(self, settings: EncoderSettings, token_limit: int) -> None:
        from transformers import AutoModel, AutoTokenizer

        where: dict[str, Any] = {
            "pretrained_model_name_or_path": settings.folder or settings.model,
            "trust_remote_code": settings.remote_code,
        }
        if not settings.folder:
            where["revision"] = settings.revision
        if settings.remote_code and not settings.folder:
            where["code_revision"] = settings.revision
        self._pooling = settings.pooling
        self._model = AutoModel.from_pretrained(**where).eval()
        tokenizer = AutoTokenizer.from_pretrained(**where)
        self._longest = int(tokenizer.model_max_length)
        self._tokenizer = ModelTokenizer(tokenizer, settings, token_limit)

    @property
    def dimensions(self) -> int:
        """Of its last layer."""
        return int(self._model.config.hidden_size)

    @property
    def token_limit(self) -> int:
        """The places it has vectors for, or what its tokenizer says."""
        places = getattr(self._model.config, "max_position_embeddings", None) or _BOUNDLESS
        return int(min(places, self._longest, _BOUNDLESS))

    def read(self, text: str, prompt: EncoderPrompt) -> ReadText:
        """Tokens of the prompt and the text."""
        return self._tokenizer.read(text, prompt)

    def vectors(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """One for each; padding is masked."""
        import torch

        padded = self._tokenizer.padded(batch)
        with torch.inference_mode():
            states = self._model(**padded).last_hidden_state
            made = _pooled(states, padded["attention_mask"], self._pooling)
        vectors: Vectors = made.float().numpy()
        return vectors


def _pooled(states: Any, mask: Any, pooling: Pooling) -> Any:
    """Rows of `states`, wherever the padding is: in front of a text, or behind it."""
    import torch

    rows = torch.arange(len(mask))
    if pooling is Pooling.MEAN:
        return (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
    if pooling is Pooling.CLS:
        return states[rows, mask.argmax(1)]
    places = torch.arange(mask.shape[1]) * mask
    return states[rows, places.argmax(1)]
