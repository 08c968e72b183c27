"""What turns are charged while they run: with each renewal of their leases."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from deploy.replay.world.fleet import VirtualFleet
from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.virtual_time import VirtualTime
from shared.persistence.ledger.held.running_charges import SHORTEST_SECONDS, UNITS_PER_SECOND
from workers.maintenance.lease_keeping import RENEWALS_PER_LEASE


class Renewals:
    """All workers renew together. `charge` is told what a turn has used so far."""

    def __init__(
        self,
        fleet: VirtualFleet,
        time: VirtualTime,
        random: Random,
        *,
        lease_seconds: float,
        charge: Callable[[VirtualMessage, float], None],
    ) -> None:
        self._fleet = fleet
        self._time = time
        self._random = random
        self._every = lease_seconds / RENEWALS_PER_LEASE
        self._charge = charge

    def look(self) -> None:
        """Renew, again and again."""
        self.renew()
        pause = self._every * self._random.uniform(0.75, 1.25)
        self._time.at(self._time.seconds + pause, self.look)

    def renew(self) -> None:
        """Now: in its time, or because a message was taken from its turn."""
        now = self._time.seconds
        for job in self._fleet.running.values():
            seconds = now - job.claimed_at
            if job.held and seconds >= SHORTEST_SECONDS:
                self._charge(job, UNITS_PER_SECOND * seconds)
