"""The extras `embeddings` and `torch`: what encoders and tokenizers are made of, or are not."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from shared.settings.indexing.encoder import EncoderKind
from shared.shipped_weights import MINILM

_OF_THE_ENCODER: Final = ("numpy", "onnx", "onnxruntime", "tokenizers", MINILM.package)
_TOKENIZERS: Final = ("tokenizers",)
_NUMBERS: Final = ("numpy",)
_OF_TORCH: Final = {
    EncoderKind.SENTENCE_TRANSFORMERS: ("torch", "transformers", "sentence_transformers"),
    EncoderKind.TRANSFORMERS: ("torch", "transformers"),
}
_INSTALL_TORCH: Final = (
    "Type: pip install 'forebay[torch]' --extra-index-url https://download.pytorch.org/whl/cpu"
)


def encoder_missing() -> str | None:
    """Why no text can be encoded here, with the fix; None where all is installed. Loads nothing."""
    return _missing("The semantic cache is off", _OF_THE_ENCODER)


def tokenizers_missing() -> str | None:
    """Why no `tokenizer.json` can be read here, with the fix; None where it can. Loads nothing."""
    return _missing("context.tokenizers cannot be read", _TOKENIZERS)


def kind_missing(kind: EncoderKind) -> str | None:
    """Why no encoder of this kind can be used here, with the fix; None where it can."""
    what = f"Encoders of kind {kind} cannot be used"
    needed = _OF_THE_ENCODER if kind is EncoderKind.MINILM else _NUMBERS
    return _missing(what, needed) or torch_missing(kind)


def torch_missing(kind: EncoderKind) -> str | None:
    """The same, of what only models of torch need."""
    absent = [package for package in _OF_TORCH.get(kind, ()) if find_spec(package) is None]
    if not absent:
        return None
    return f"Encoders of kind {kind} cannot be used (no {', '.join(absent)}). {_INSTALL_TORCH}"


def _missing(what: str, packages: tuple[str, ...]) -> str | None:
    absent = [package for package in packages if find_spec(package) is None]
    if not absent:
        return None
    return (
        f"{what}: the extra 'embeddings' is not installed (no {', '.join(absent)}). "
        "Type: pip install 'forebay[embeddings]'."
    )
