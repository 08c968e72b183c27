"""One loaded model: a text in, its vector out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from shared.embeddings.minilm.graph import MEAN, TOKENS, as_graph
from shared.embeddings.minilm.weights import load_weights
from shared.embeddings.minilm.words import load_tokenizer

if TYPE_CHECKING:
    from shared.embeddings.encoder import Vectors

NAME: Final = "all-MiniLM-L6-v2/int8-1"
DIMENSIONS: Final = 384


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
        self._session = onnxruntime.InferenceSession(
            as_graph(load_weights()), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = load_tokenizer()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One text at a time.

        Quantization takes its scale from all that is multiplied together, so texts in one batch
        would change each other's vectors; and a batch of short texts is hardly faster.
        """
        import numpy

        vectors = numpy.empty((len(texts), DIMENSIONS), numpy.float32)
        for place, text in enumerate(texts):
            vectors[place] = self._mean(text)
        vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _mean(self, text: str) -> Vectors:
        import numpy

        tokens = numpy.asarray([self._tokenizer.encode(text).ids], numpy.int64)
        mean: Vectors
        ((mean,),) = self._session.run([MEAN], {TOKENS: tokens})
        return mean
