"""The model as a graph of few, large steps that multiply the 8-bit weights as they are stored.

A short question costs the sum of its steps as much as its multiplications, and the exported graph
has five times as many steps: it turns weights into float32, masks padding that is never there, and
moves heads about by hand. Each matrix here is one DynamicQuantizeMatMul, which makes what it reads
8 bits wide as well; query, key and value are one matrix side by side. Its vectors are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.embeddings.minilm.names import TOKEN_LIMIT
from shared.embeddings.minilm.weights import Layer, Matrix, Weights

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

    from shared.embeddings.minilm.weights import Array

TOKENS: Final = "tokens"
"""Input, int64 of shape (1, words)."""
MEAN: Final = "mean"
"""Output, float32 of shape (1, dimensions): the mean over the words of the last layer."""
_HEADS: Final = 12
_EPSILON: Final = 1e-12
_OF_THE_RUNTIME: Final = frozenset({"DynamicQuantizeMatMul", "MultiHeadAttention", "Gelu"})
"""Not ONNX's own; they come with onnxruntime under `com.microsoft`."""


def as_graph(weights: Weights) -> bytes:
    """Serialized, for onnxruntime alone."""
    from onnx import TensorProto, helper

    steps = _Steps(weights.plain)
    states = _embedded(steps, weights)
    for number, layer in enumerate(weights.layers):
        states = _through(steps, layer, states, f"inner.encoder.layer.{number}")
    axis = steps.constant("mean.axis", _numbers(1))
    steps.add("ReduceMean", states, axis, made=MEAN, keepdims=0)
    graph = helper.make_graph(
        steps.nodes,
        "minilm",
        [helper.make_tensor_value_info(TOKENS, TensorProto.INT64, [1, "words"])],
        [helper.make_tensor_value_info(MEAN, TensorProto.FLOAT, [1, "dimensions"])],
        steps.constants,
    )
    versions = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=9)
    return bytes(model.SerializeToString())


class _Steps:
    """A graph that grows; every step is called what it makes."""

    def __init__(self, plain: dict[str, Array]) -> None:
        self.plain = plain
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, array: Array) -> str:
        import numpy
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    def trained(self, name: str) -> str:
        return self.constant(name, self.plain[name])

    def add(self, kind: str, *read: str, made: str, **settings: float) -> str:
        from onnx import helper

        domain = "com.microsoft" if kind in _OF_THE_RUNTIME else ""
        node = helper.make_node(kind, read, [made], made, domain=domain)
        node.attribute.extend(helper.make_attribute(*setting) for setting in settings.items())
        self.nodes.append(node)
        return made

    def split(self, read: str, *, made: list[str]) -> list[str]:
        from onnx import helper

        self.nodes.append(helper.make_node("Split", [read], made, axis=2, num_outputs=len(made)))
        return made

    def multiplied(self, read: str, matrix: Matrix, bias: str, *, made: str) -> str:
        rows = self.constant(f"{made}.rows", matrix.rows)
        scales = self.constant(f"{made}.scales", matrix.scales.ravel())
        return self.add("DynamicQuantizeMatMul", read, rows, scales, "", bias, made=made)

    def normalized(self, read: str, name: str) -> str:
        gain, bias = self.trained(f"{name}.weight"), self.trained(f"{name}.bias")
        return self.add(
            "LayerNormalization", read, gain, bias, made=name, axis=-1, epsilon=_EPSILON
        )


def _embedded(steps: _Steps, weights: Weights) -> str:
    """Each word's own vector plus that of its place; only the rows that are read become float32."""
    import numpy

    rows = steps.constant("words.rows", weights.words.rows)
    scales = steps.constant("words.scales", weights.words.scales)
    read = steps.add("Gather", rows, TOKENS, made="words.read")
    floats = steps.add("Cast", read, made="words.float", to=1)
    factors = steps.add("Gather", scales, TOKENS, made="words.factors")
    words = steps.add("Mul", floats, factors, made="words")

    # Every text is of the first kind ("segment A"), so its vector is part of each place's.
    kinds = weights.plain["inner.embeddings.token_type_embeddings.weight"]
    every = numpy.multiply(weights.positions.rows, weights.positions.scales, dtype=numpy.float32)
    places = steps.constant("places", (every + kinds[:1])[:TOKEN_LIMIT])
    start = steps.constant("places.start", _numbers(0))
    length = steps.add("Shape", TOKENS, made="places.length", start=1, end=2)
    here = steps.add("Slice", places, start, length, start, made="places.here")
    together = steps.add("Add", words, here, made="embedded")
    return steps.normalized(together, "inner.embeddings.LayerNorm")


def _through(steps: _Steps, layer: Layer, states: str, name: str) -> str:
    attended = _attended(steps, layer, states, name)
    bias = steps.trained(f"{name}.attention.output.dense.bias")
    weighed = steps.multiplied(attended, layer.attended, bias, made=f"{name}.weighed")
    both = steps.add("Add", weighed, states, made=f"{name}.both")
    seen = steps.normalized(both, f"{name}.attention.output.LayerNorm")

    bias = steps.trained(f"{name}.intermediate.dense.bias")
    wide = steps.multiplied(seen, layer.widened, bias, made=f"{name}.wide")
    active = steps.add("Gelu", wide, made=f"{name}.active")
    bias = steps.trained(f"{name}.output.dense.bias")
    narrow = steps.multiplied(active, layer.narrowed, bias, made=f"{name}.narrow")
    out = steps.add("Add", narrow, seen, made=f"{name}.out")
    return steps.normalized(out, f"{name}.output.LayerNorm")


def _attended(steps: _Steps, layer: Layer, states: str, name: str) -> str:
    import numpy

    parts = (layer.query, layer.key, layer.value)
    beside = Matrix(
        rows=numpy.concatenate([part.rows for part in parts], axis=1),
        scales=numpy.concatenate([part.scales.ravel() for part in parts]),
    )
    biases = [
        steps.plain[f"{name}.attention.self.{part}.bias"] for part in ("query", "key", "value")
    ]
    bias = steps.constant(f"{name}.asked.bias", numpy.concatenate(biases))
    asked = steps.multiplied(states, beside, bias, made=f"{name}.asked")
    pieces = steps.split(asked, made=[f"{asked}.{part}" for part in ("query", "key", "value")])
    return steps.add("MultiHeadAttention", *pieces, made=f"{name}.attended", num_heads=_HEADS)


def _numbers(*numbers: int) -> Array:
    import numpy

    return numpy.array(numbers, numpy.int64)
