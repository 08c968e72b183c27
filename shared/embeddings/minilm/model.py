"""One loaded model: a text in, its vector out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.embeddings.encoder import EncoderPrompt
from shared.embeddings.minilm.graph import MEAN, TOKENS, as_graph
from shared.embeddings.minilm.names import DIMENSIONS, TOKEN_LIMIT
from shared.embeddings.minilm.weights import load_weights
from shared.embeddings.minilm.words import END, load_tokenizer
from shared.embeddings.text_model import ReadText, encode_all

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors


class MiniLm:
    """Loads in under a second and takes about 100 MB; many threads may encode at once.

    Each call runs on the thread that made it and frees the GIL.
    """

    def __init__(self) -> None:
        import onnxruntime  # type: ignore[import-untyped]

        options = onnxruntime.SessionOptions()
        # One thread a call: short questions gain nothing from more, and lose the core's cache.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # A spinning thread would take the event loop's core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # More would join Add and LayerNormalization into a step that takes three times as long.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        # It prints errors in colour besides raising them.
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            as_graph(load_weights()), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = load_tokenizer()

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return DIMENSIONS

    @property
    def token_limit(self) -> int:
        """What the model was trained to read."""
        return TOKEN_LIMIT

    def read(self, text: str, prompt: EncoderPrompt = EncoderPrompt.PASSAGE) -> ReadText:  # noqa: ARG002
        """Tokens of a text; it was not trained to tell a question from a passage."""
        encoding = self._tokenizer.encode(text)
        return ReadText(encoding.ids, bool(encoding.overflowing))

    def vectors(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """One text at a time.

        Quantization takes its scale from all that is multiplied together, so texts in one batch
        would change each other's vectors; and batches of equal length were not faster.
        """
        import numpy

        means = numpy.empty((len(batch), DIMENSIONS), numpy.float32)
        for place, read in enumerate(batch):
            tokens = numpy.asarray([read], numpy.int64)
            ((means[place],),) = self._session.run([MEAN], {TOKENS: tokens})
        return means

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Of length 1, in order."""
        many = encode_all(self, texts, prompt=EncoderPrompt.PASSAGE, batch_tokens=TOKEN_LIMIT)
        return many.vectors


class ShorterMiniLm:
    """The same weights in the same memory, seeing less of a text."""

    def __init__(self, whole: MiniLm, token_limit: int) -> None:
        self._whole = whole
        self._token_limit = token_limit

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return DIMENSIONS

    @property
    def token_limit(self) -> int:
        """Tokens that are seen of a text, the two that stand around it included."""
        return self._token_limit

    def read(self, text: str, prompt: EncoderPrompt) -> ReadText:
        """Tokens of a text, up to the limit."""
        read = self._whole.read(text, prompt)
        if len(read.tokens) <= self._token_limit:
            return read
        return ReadText([*read.tokens[: self._token_limit - 1], END], is_truncated=True)

    def vectors(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """As the whole model makes them."""
        return self._whole.vectors(batch)
