"""Texts into tokens and tokens into a padded batch, by the tokenizer that came with a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.embeddings.encoder import EncoderPrompt
from shared.embeddings.text_model import ReadText
from shared.settings.indexing.encoder import EncoderSettings


class ModelTokenizer:
    """Words of the tokenizer itself, such as `[SEP]`, are plain words in a text."""

    def __init__(self, tokenizer: Any, settings: EncoderSettings, token_limit: int) -> None:
        self._tokenizer = tokenizer
        self._limit = token_limit
        self._before = {
            EncoderPrompt.QUERY: settings.query_prompt,
            EncoderPrompt.PASSAGE: settings.passage_prompt,
        }

    def read(self, text: str, prompt: EncoderPrompt) -> ReadText:
        """Tokens of the prompt and the text, up to the limit."""
        whole = f"{self._before[prompt]}{text}"
        # It would say that a text is too long, which is what is looked for.
        tokens = self._tokenizer(whole, split_special_tokens=True, verbose=False)["input_ids"]
        if len(tokens) <= self._limit:
            return ReadText(tokens, is_truncated=False)
        cut = self._tokenizer(
            whole, split_special_tokens=True, truncation=True, max_length=self._limit
        )
        return ReadText(cut["input_ids"], is_truncated=True)

    def padded(self, batch: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Tensors of `input_ids` and `attention_mask`."""
        tokens = {"input_ids": [list(each) for each in batch]}
        return dict(self._tokenizer.pad(tokens, return_tensors="pt"))
