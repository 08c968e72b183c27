"""Tokens by a model's own tokenizer, read from a file in the `tokenizer.json` format."""

from __future__ import annotations

from pathlib import Path

from shared.embeddings.extra import tokenizers_missing
from shared.errors import SettingsError


class TokenizerFile:
    """Counts with the tokenizer in `path`, without the marks it puts around a text.

    Nothing is downloaded. Raises SettingsError where the file is missing or is no tokenizer, or
    the extra `embeddings` is not installed.
    """

    def __init__(self, path: Path) -> None:
        if reason := tokenizers_missing():
            raise SettingsError([reason])
        # Imported here: who has no tokenizer does not wait for the library.
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
            raise SettingsError(
                [
                    f"context.tokenizers: '{path}' is no tokenizer ({error}). "
                    "Name the tokenizer.json of the model."
                ]
            ) from None
        # The file may cut long texts off, which is meant for encoders.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def count(self, text: str) -> int:
        # A lone surrogate has no place in UTF-8, which the library reads.
        readable = text.encode("utf-8", "replace").decode()
        return len(self._tokenizer.encode(readable, add_special_tokens=False).ids)
