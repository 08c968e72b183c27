"""The extra `embeddings`: what encoders and tokenizers are made of, installed or not."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from shared.shipped_weights import MINILM

_OF_THE_ENCODER: Final = ("numpy", "onnx", "onnxruntime", "tokenizers", MINILM.package)
_TOKENIZERS: Final = ("tokenizers",)


def encoder_missing() -> str | None:
    """Why no text can be encoded here, with the fix; None where all is installed. Loads nothing."""
    return _missing("The semantic cache is off", _OF_THE_ENCODER)


def tokenizers_missing() -> str | None:
    """Why no `tokenizer.json` can be read here, with the fix; None where it can. Loads nothing."""
    return _missing("context.tokenizers cannot be read", _TOKENIZERS)


def _missing(what: str, packages: tuple[str, ...]) -> str | None:
    absent = [package for package in packages if find_spec(package) is None]
    if not absent:
        return None
    return (
        f"{what}: the extra 'embeddings' is not installed (no {', '.join(absent)}). "
        "Type: pip install 'forebay[embeddings]'."
    )
