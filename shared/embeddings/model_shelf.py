"""The models of this process: each loaded once, when it is first asked for."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from shared.embeddings.cards import EncoderRole, settings_of
from shared.embeddings.onnx import cut_to, load_minilm
from shared.embeddings.text_model import TextModel
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderKind

if TYPE_CHECKING:
    from shared.embeddings.minilm.model import MiniLm


class ModelShelf:
    """Loads what the settings name; both roles share the weights where they are the same."""

    def __init__(self, settings: EmbeddingSettings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._models: dict[EncoderRole, TextModel] = {}
        self._minilm: MiniLm | None = None

    def model(self, role: EncoderRole) -> TextModel:
        """Loaded; raises EncoderUnavailable with the fix. Blocks for as long as loading takes."""
        with self._lock:
            if role not in self._models:
                self._models[role] = self._load(role)
            return self._models[role]

    def _load(self, role: EncoderRole) -> TextModel:
        settings = settings_of(self._settings, role)
        if settings.kind is EncoderKind.MINILM:
            self._minilm = self._minilm or load_minilm()
            return cut_to(self._minilm, self._settings.token_limit_of(role))
        from shared.embeddings.torch_models.loading import load_torch_model

        return load_torch_model(role, settings, self._settings.token_limit_of(role))
