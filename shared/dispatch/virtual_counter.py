"""The counter of a flow, by which fair queueing chooses: what it has had, by its weight."""

from __future__ import annotations


class VirtualCounter:
    """`v` is units charged, divided by `weight`; the flow of the lowest is next.

    `virtual_time`, which its caller keeps, is the `v` of the flow that was chosen last: it never
    falls.
    """

    __slots__ = ("largest", "v", "weight")

    def __init__(self, weight: float, v: float) -> None:
        self.weight = weight
        self.v = v
        self.largest = 0.0

    def lift(self, virtual_time: float) -> None:
        """Absence saves nothing up: who comes back is served next, not first for a long time."""
        self.v = max(self.v, virtual_time)

    def release(self, units: float) -> None:
        """Something was chosen that is expected to cost so much."""
        self.largest = max(self.largest, units)
        self.v += units / self.weight

    def charge(self, units: float, virtual_time: float) -> None:
        """More than was charged, or less: a refund ends one largest release below the others."""
        v = self.v + units / self.weight
        if units < 0:
            v = max(v, min(self.v, virtual_time - self.largest / self.weight))
        self.v = v
