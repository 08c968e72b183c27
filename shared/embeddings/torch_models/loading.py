"""One model of torch, loaded and held against its settings."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from shared.embeddings.cards import EncoderRole
from shared.embeddings.encoder import EncoderPrompt, EncoderUnavailable
from shared.embeddings.text_model import TextModel
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings

Loader = Callable[[EncoderSettings, int], TextModel]
_INSTALL: Final = (
    "Type: pip install 'forebay[torch]' --extra-index-url https://download.pytorch.org/whl/cpu"
)
_PACKAGES: Final = {
    EncoderKind.SENTENCE_TRANSFORMERS: ("torch", "transformers", "sentence_transformers"),
    EncoderKind.TRANSFORMERS: ("torch", "transformers"),
}


def torch_missing(kind: EncoderKind) -> str | None:
    """Why no model of this kind can be loaded here, with the fix. Loads nothing."""
    absent = [package for package in _PACKAGES.get(kind, ()) if find_spec(package) is None]
    if not absent:
        return None
    return f"Models of kind {kind} cannot be loaded (no {', '.join(absent)}). {_INSTALL}"


def load_torch_model(role: EncoderRole, settings: EncoderSettings, token_limit: int) -> TextModel:
    """Loads in ten seconds or more; raises EncoderUnavailable with the fix."""
    if reason := torch_missing(settings.kind):
        raise EncoderUnavailable(reason)
    import torch

    torch.set_num_threads(1)
    try:
        model = _loader(settings.kind)(settings, token_limit)
        made = model.vectors([model.read("a probe", EncoderPrompt.PASSAGE).tokens]).shape[1]
    except (OSError, ValueError, ImportError, RuntimeError, IndexError) as error:
        raise EncoderUnavailable(
            f"embeddings.{role}: {settings.folder or settings.model} cannot be loaded: {error}"
        ) from error
    if made != settings.dimensions:
        raise EncoderUnavailable(
            f"embeddings.{role}.dimensions = {settings.dimensions}: {settings.model} makes {made} "
            f"numbers. Set {made}."
        )
    if token_limit > model.token_limit:
        raise EncoderUnavailable(
            f"embeddings.{role}.token_limit = {token_limit}: {settings.model} reads "
            f"{model.token_limit}. Set {model.token_limit} or less."
        )
    return model


def _loader(kind: EncoderKind) -> Loader:
    if kind is EncoderKind.SENTENCE_TRANSFORMERS:
        from shared.embeddings.torch_models.sentence_transformer import SentenceTransformerModel

        return SentenceTransformerModel
    from shared.embeddings.torch_models.transformer import TransformerModel

    return TransformerModel
