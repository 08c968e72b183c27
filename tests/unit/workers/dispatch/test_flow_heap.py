"""The heap of flows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.messages.lane import Lane
from workers.dispatch.flows.flow_heap import FlowHeap
from workers.dispatch.flows.flow_queue import FlowQueue

VALUES = st.integers(0, 20).map(float)
CHANGES = st.lists(st.tuples(st.integers(0, 30), VALUES | st.none()), max_size=120)


def _flow(v: float) -> FlowQueue:
    return FlowQueue(Lane.STANDARD, "tenant", 1.0, v, 0.0)


@given(CHANGES)
def test_the_lowest_is_first_whatever_moved_and_equal_ones_stay_in_order(
    changes: list[tuple[int, float | None]],
) -> None:
    heap, flows = FlowHeap(), [_flow(0.0) for _ in range(31)]
    inside: set[int] = set()
    for number, v in changes:
        flow = flows[number]
        if v is None:
            if number in inside:
                heap.remove(flow)
                inside.discard(number)
        else:
            flow.v = v
            (heap.moved if number in inside else heap.push)(flow)
            inside.add(number)
        assert len(heap.flows) == len(inside)
        assert all(heap.flows[flows[each].place] is flows[each] for each in inside)
        if inside:
            assert heap.flows[0] is min(
                (flows[each] for each in inside), key=lambda flow: (flow.v, flow.order)
            )
    assert all(flow.place == -1 for number, flow in enumerate(flows) if number not in inside)
