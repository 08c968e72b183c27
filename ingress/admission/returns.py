"""Admissions that came to nothing, and what they took."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from ingress.admission.question import AdmissionRequest
from shared.reservations.reservations import Reservations

_OWED_LIMIT: Final = 10_000


class Returns:
    """Gives back what admissions took that came to nothing: at once, or when Redis is back.

    Giving back twice, or what was never taken, changes nothing. Beyond 10,000 owed returns the
    oldest are left to their leases.
    """

    def __init__(self, reservations: Reservations) -> None:
        self._reservations = reservations
        self._owed: deque[AdmissionRequest] = deque(maxlen=_OWED_LIMIT)
        self._running: set[asyncio.Task[None]] = set()

    async def give_back(self, request: AdmissionRequest) -> None:
        """Undo one admission; returns when Redis has done so, or did not answer."""
        await self._reservations.give_back(
            request.tenant.id,
            request.user,
            message_id=request.message_id,
            estimated_tokens=request.estimated_tokens,
            idempotency_key=request.idempotency_key,
            key_owner_id=request.owner_id,
        )

    def owe(self, request: AdmissionRequest) -> None:
        """Redis is away: undo this one when it is back."""
        self._owed.append(request)

    def pay(self) -> None:
        """Redis is back: undo what is owed, in the background."""
        while self._owed:
            self.give_back_soon(self._owed.popleft())

    def give_back_soon(self, request: AdmissionRequest) -> None:
        """Undo one admission in the background."""
        task = asyncio.get_running_loop().create_task(self.give_back(request))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Wait for what is on its way."""
        await asyncio.gather(*self._running, return_exceptions=True)
