"""One model of torch, loaded and held against its settings."""

from __future__ import annotations

from collections.abc import Callable

from shared.embeddings.cards import EncoderRole
from shared.embeddings.encoder import EncoderPrompt, EncoderUnavailable
from shared.embeddings.extra import torch_missing
from shared.embeddings.text_model import TextModel
from shared.settings.indexing.encoder import EncoderKind, EncoderSettings

Loader = Callable[[EncoderSettings, int], TextModel]


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
