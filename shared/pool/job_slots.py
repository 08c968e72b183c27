"""Which jobs run and which wait for one of them to end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic

from shared.pool.job import Job


class JobSlots:
    """At most `limit` running jobs, first come first served; belongs to the hub's thread.

    A job is accepted (and, without late acknowledgement, acknowledged) when it gets its slot, so
    the broker's prefetch bounds what waits.
    """

    def __init__(self, limit: int, *, start: Callable[[Job], None]) -> None:
        self._limit = limit
        self._start = start
        self._waiting: deque[Job] = deque()
        self._running: dict[int, Job] = {}

    def add(self, job: Job) -> None:
        self._waiting.append(job)
        self.fill()

    def fill(self) -> None:
        """Give free slots to waiting jobs."""
        while self._waiting and len(self._running) < self._limit:
            job = self._waiting.popleft()
            # Revoked or expired while it waited: the request has said so and is done with.
            if not job.request.revoked():
                self._running[job.number] = job
                self._start(job)
                job.on_accepted(job.number, monotonic())

    def release(self, job: Job) -> None:
        """Free the slot of a job that has ended; `fill` gives it away."""
        self._running.pop(job.number, None)

    def resize(self, limit: int) -> None:
        self._limit = max(limit, 1)
        self.fill()

    def forget_waiting(self) -> None:
        """Drop the jobs that wait; their messages were not acknowledged and come again."""
        self._waiting.clear()

    def running(self, number: int) -> Job | None:
        return self._running.get(number)

    def __iter__(self) -> Iterator[Job]:
        """The running jobs, as of now."""
        return iter(tuple(self._running.values()))

    @property
    def running_count(self) -> int:
        return len(self._running)

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        return not self._running and not self._waiting
