"""The flows of a lane that have something waiting, the one of the lowest counter first."""

from __future__ import annotations

from itertools import count

from workers.dispatch.flows.flow_queue import FlowQueue


class FlowHeap:
    """A binary heap in which each flow has one entry that moves, up or down, when its `v` does.

    `heapq` cannot move an entry: there, each correction leaves a stale one behind, and a busy
    tenant's are as many as its calls. Equal counters stand in the order in which they got there.
    """

    def __init__(self) -> None:
        self.flows: list[FlowQueue] = []
        """Those that are here, the first of them first and the others in no order; to be read."""
        self._keys: list[float] = []
        self._orders = count()

    def push(self, flow: FlowQueue) -> None:
        """One that is not here."""
        flow.order = next(self._orders)
        self._keys.append(flow.v)
        self.flows.append(flow)
        self._rise(len(self.flows) - 1, flow)

    def remove(self, flow: FlowQueue) -> None:
        """One that is here."""
        place, last = flow.place, self.flows.pop()
        self._keys.pop()
        flow.place = -1
        if last is not flow:
            self._settle(place, last)

    def moved(self, flow: FlowQueue) -> None:
        """To be told after each change of the `v` of a flow that is here."""
        flow.order = next(self._orders)
        self._settle(flow.place, flow)

    def _settle(self, place: int, flow: FlowQueue) -> None:
        parent = (place - 1) >> 1
        if place > 0 and flow.v <= self._keys[parent] and self._is_before(flow, parent):
            self._rise(place, flow)
        else:
            self._sink(place, flow)

    def _rise(self, place: int, flow: FlowQueue) -> None:
        while place > 0:
            parent = (place - 1) >> 1
            if not self._is_before(flow, parent):
                break
            self._put(place, self._keys[parent], self.flows[parent])
            place = parent
        self._put(place, flow.v, flow)

    def _sink(self, place: int, flow: FlowQueue) -> None:
        """Each release does this once: the loop is written out, a call in it would double it."""
        keys, flows = self._keys, self.flows
        size, key, order = len(keys), flow.v, flow.order
        child = 2 * place + 1
        while child < size:
            least, other = keys[child], child + 1
            if other < size:
                beside = keys[other]
                if beside < least or (beside == least and flows[other].order < flows[child].order):
                    child, least = other, beside
            if key < least or (key == least and order < flows[child].order):
                break
            keys[place] = least
            above = flows[place] = flows[child]
            above.place = place
            place, child = child, 2 * child + 1
        keys[place] = key
        flows[place] = flow
        flow.place = place

    def _is_before(self, flow: FlowQueue, place: int) -> bool:
        key = self._keys[place]
        return flow.v < key or (flow.v == key and flow.order < self.flows[place].order)

    def _put(self, place: int, key: float, flow: FlowQueue) -> None:
        self._keys[place] = key
        self.flows[place] = flow
        flow.place = place
