"""The messages of a tenant that are in flight, each with a lease."""

from __future__ import annotations

from heapq import heappop, heappush


class Slots:
    """The zset of `account.lua`: who is in it holds a slot until its lease is over.

    What has run out stays until it is cleared, and counts no more: to count costs what ended
    since, not how many there are.
    """

    __slots__ = ("_ends", "_heap", "_over")

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._over: set[str] = set()

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._ends

    def __len__(self) -> int:
        """With those whose lease is over."""
        return len(self._ends)

    def take(self, message_id: str, until: float) -> bool:
        """False, and nothing else, where it holds one."""
        if message_id in self._ends:
            return False
        self._ends[message_id] = until
        heappush(self._heap, (until, message_id))
        return True

    def keep(self, message_id: str, until: float) -> None:
        """Change the lease of one that is there."""
        if message_id in self._ends:
            self._ends[message_id] = until
            self._over.discard(message_id)
            heappush(self._heap, (until, message_id))

    def free(self, message_id: str) -> bool:
        """Whether it was there."""
        self._over.discard(message_id)
        return self._ends.pop(message_id, None) is not None

    def first_end(self, now: float, *, beyond: int) -> float | None:
        """When the first lease ends, where more than `beyond` are taken; else None."""
        if len(self._ends) <= beyond:
            return None
        self._look(now)
        if len(self._ends) - len(self._over) <= beyond:
            return None
        return self._heap[0][0]

    def clear(self, now: float) -> list[str]:
        """Takes out those whose lease is over; their ids."""
        self._look(now)
        ended = list(self._over)
        for message_id in ended:
            del self._ends[message_id]
        self._over.clear()
        return ended

    def _look(self, now: float) -> None:
        heap, ends = self._heap, self._ends
        while heap and (heap[0][0] <= now or ends.get(heap[0][1]) != heap[0][0]):
            end, message_id = heappop(heap)
            if ends.get(message_id) == end:
                self._over.add(message_id)
