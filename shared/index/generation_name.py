"""What a generation is called: by what it is made with, so that equal ones share a name."""

from __future__ import annotations

import hashlib
from typing import Final

SPLITTER_VERSION: Final = 1
"""Part of every chunk's key: raised when the same document is cut in other pieces, or when a
chunk is put into other words for its vectors."""
_HALF: Final = 6


def generation_name(text_model: str, code_model: str, *, splitter: str = "") -> str:
    """`g-` and 12 hexadecimal digits; `splitter` says what is set of it besides its version."""
    return f"g-{models_digest(text_model, code_model)}{_digest(str(SPLITTER_VERSION), splitter)}"


def models_digest(text_model: str, code_model: str) -> str:
    """Six hexadecimal digits for a pair of encoders, by their names."""
    return _digest(text_model, code_model)


def is_made_with(generation: str, text_model: str, code_model: str) -> bool:
    """Whether vectors of these encoders may be compared with those of the generation."""
    return generation[2 : 2 + _HALF] == models_digest(text_model, code_model)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_HALF]
