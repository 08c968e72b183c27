"""The usual ways of choosing, each as it is found in gateways and queues."""

# ruff: noqa: B027 - most of them look at less than a fleet tells
from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection

from shared.messages.lane import Lane
from workers.dispatch.flows.held_message import HeldMessage


class Rival(ABC):
    """Lets messages wait by tenant, and knows what runs."""

    def __init__(self) -> None:
        self.queues: dict[str, deque[HeldMessage]] = {}
        self.running: dict[str, HeldMessage] = {}
        self.in_flight: dict[str, int] = {}

    def add(self, message: HeldMessage, now: float) -> bool:
        if message.tenant not in self.queues:
            self.queues[message.tenant] = deque()
            self.arrived(message.tenant)
        self.queues[message.tenant].append(message)
        return True

    def pick(self, now: float, lanes: Collection[Lane]) -> HeldMessage | None:
        if not self.queues:
            return None
        tenant = self.choose()
        message = self.queues[tenant].popleft()
        if not self.queues[tenant]:
            del self.queues[tenant]
        self.released(message)
        self.running[message.id] = message
        self.in_flight[tenant] = self.in_flight.get(tenant, 0) + 1
        return message

    def settle(self, message_id: str, units: float, now: float) -> bool:
        self.in_flight[self.running.pop(message_id).tenant] -= 1
        return True

    def charge(self, message_id: str, units: float, now: float) -> None:
        """None of them looks at a call while it runs."""

    def tick(self, now: float) -> None:
        """Nor at the clock."""

    def arrived(self, tenant: str) -> None:
        """A tenant that had nothing waiting has something."""

    def released(self, message: HeldMessage) -> None:
        """The message is the chosen one."""

    @abstractmethod
    def choose(self) -> str:
        """Whose turn it is, of those that have something waiting."""


class FirstCome(Rival):
    """By acceptance, whoever it is of."""

    def __init__(self) -> None:
        super().__init__()
        self._turns: deque[str] = deque()

    def add(self, message: HeldMessage, now: float) -> bool:
        self._turns.append(message.tenant)
        return super().add(message, now)

    def choose(self) -> str:
        return self._turns.popleft()


class RoundRobin(Rival):
    """A call of each in turn."""

    def __init__(self) -> None:
        super().__init__()
        self._turns: deque[str] = deque()

    def arrived(self, tenant: str) -> None:
        if tenant not in self._turns:
            self._turns.append(tenant)

    def choose(self) -> str:
        while self._turns[0] not in self.queues:
            self._turns.popleft()
        self._turns.rotate(-1)
        return self._turns[-1]


class LeastInFlight(Rival):
    """A call of the one that has fewest running."""

    def choose(self) -> str:
        return min(self.queues, key=lambda tenant: self.in_flight.get(tenant, 0))


class DeficitRoundRobin(Rival):
    """In turn, each as much as the quantum allows, by what its calls were said to cost."""

    QUANTUM = 500.0

    def __init__(self) -> None:
        super().__init__()
        self._turns: deque[str] = deque()
        self._deficit: dict[str, float] = {}

    def arrived(self, tenant: str) -> None:
        self._deficit[tenant] = 0.0
        if tenant not in self._turns:
            self._turns.append(tenant)

    def choose(self) -> str:
        while True:
            tenant = self._turns[0]
            if tenant not in self.queues:
                self._turns.popleft()
            elif self.queues[tenant][0].units <= self._deficit[tenant]:
                return tenant
            else:
                self._deficit[tenant] += self.QUANTUM
                self._turns.rotate(-1)

    def released(self, message: HeldMessage) -> None:
        self._deficit[message.tenant] -= message.units
