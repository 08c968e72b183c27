"""What waits to be published."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from shared.errors import BrokerUnavailable
from shared.messages.lane import Lane, WakeUp

CAPACITY: Final = 20_000
"""Wake-ups that may wait. More are dropped: the reconciler sends them when there is room again."""


class Confirmation:
    """What one caller of `publish` waits for. Where nobody waits, `None` stands in its place."""

    __slots__ = ("_outstanding", "alone", "future", "identifiers")

    def __init__(self, identifiers: Sequence[str], *, alone: bool = False) -> None:
        self.identifiers = frozenset(identifiers)
        self.alone = alone
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outstanding = len(identifiers)

    def confirm(self) -> None:
        """One more message is safe with the broker."""
        self._outstanding -= 1
        if not self._outstanding and not self.future.done():
            self.future.set_result(None)

    def fail(self, error: BrokerUnavailable) -> None:
        """At least one message is not known to be safe."""
        if not self.future.done():
            self.future.set_exception(error)
            # Marks it as seen: whoever waited may have given up by now.
            self.future.exception()

    async def wait(self, seconds: float) -> None:
        """Returns when all are safe; raises BrokerUnavailable when one fails or time is up."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self.future)
        except TimeoutError:
            error = BrokerUnavailable(f"The broker did not confirm within {seconds:g} s.")
            self.fail(error)
            raise error from None


Waiting = tuple[WakeUp, Confirmation | None]


class Backlog:
    """Wake-ups in the order in which they came, each with who waits for it.

    It is no group commit (`shared.resilience`), whose guarantees do not fit: that one starts a
    group as soon as it has an item, and this waits until the broker is there; that one refuses all
    who come when it is full, and this only what nobody waits for; that one sends the item of a
    caller who gave up, and this drops it, since its caller sends it anew. And RabbitMQ confirms
    messages one by one: a group is no unit there, only a write.
    """

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, wake_up: WakeUp) -> bool:
        """Takes one that nobody waits for; False when there is no room."""
        if len(self._waiting) >= CAPACITY:
            return False
        self._waiting.append((wake_up, None))
        return True

    def add_group(self, wake_ups: Sequence[WakeUp], *, alone: bool = False) -> Confirmation:
        """Takes a group and says what to wait for. It is never dropped: its caller waits."""
        confirmation = Confirmation([wake_up.message_id for wake_up in wake_ups], alone=alone)
        self._waiting.extend((wake_up, confirmation) for wake_up in wake_ups)
        return confirmation

    def take(self, limit: int) -> list[Waiting]:
        """Removes up to `limit` from the front, without those whose caller has given up."""
        front = (self._waiting.popleft() for _ in range(min(limit, len(self._waiting))))
        return [one for one in front if one[1] is None or not one[1].future.done()]


def bundled(group: Sequence[Waiting], *, most: int) -> list[list[Waiting]]:
    """Those of a lane together, up to `most`, in their order; who is to go alone goes alone."""
    bundles: list[list[Waiting]] = []
    open_bundles: dict[Lane, list[Waiting]] = {}
    for waiting in group:
        wake_up, confirmation = waiting
        bundle = open_bundles.get(wake_up.lane)
        if confirmation is not None and confirmation.alone:
            bundles.append([waiting])
        elif bundle is None or len(bundle) >= most:
            open_bundles[wake_up.lane] = bundle = [waiting]
            bundles.append(bundle)
        else:
            bundle.append(waiting)
    return bundles
