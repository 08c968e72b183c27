"""Messages that are set aside until a model would answer them, or until they are urgent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from workers.dispatch.flows.flow_queue import TrackedMessage
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.flows.lane_flows import LaneFlows

Lets = Callable[[HeldMessage], bool]
"""Whether the message may go now."""


class Parking:
    """Takes what comes to the head of a lane without a share and may not go.

    Fairness is the lane's: who is parked has had nothing, and stands in its flow again afterwards.
    `flows` are the parked ones of each tenant: what is urgent among them is moved like others.
    """

    def __init__(self, flows: LaneFlows, lane: LaneFlows) -> None:
        self.flows = flows
        self.lets: Lets = lambda _message: True
        self._lane = lane
        self._parked: dict[str, TrackedMessage] = {}

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._parked

    def __iter__(self) -> Iterator[str]:
        """The ids of what is parked, first come first."""
        return iter(self._parked)

    def take(self, tracked: TrackedMessage, now: float) -> bool:
        """Park the head of the lane if it may not go; False where it may."""
        if tracked.flow.lane is not self._lane.lane or self.lets(tracked.message):
            return False
        self._lane.remove(tracked)
        self.flows.add(tracked, now)
        self._parked[tracked.message.id] = tracked
        return True

    def remove(self, tracked: TrackedMessage) -> bool:
        """Take one out that is parked; False where it is not."""
        if self._parked.pop(tracked.message.id, None) is None:
            return False
        self.flows.remove(tracked)
        return True

    def reconsider(self, now: float) -> None:
        """Let all wait in the lane again that may go."""
        for tracked in [each for each in self._parked.values() if self.lets(each.message)]:
            self.remove(tracked)
            self._lane.add(tracked, now)
