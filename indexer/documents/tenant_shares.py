"""Whose turn it is: virtual token counters of the tenants that have something waiting."""

from __future__ import annotations

from collections.abc import Mapping

from shared.dispatch.virtual_counter import VirtualCounter


class TenantShare(VirtualCounter):
    """What a tenant has had, and how many of its turns are under way."""

    __slots__ = ("turns",)

    def __init__(self, weight: float, v: float) -> None:
        super().__init__(weight, v)
        self.turns = 0


class TenantShares:
    """Start-time fair queueing over what turns cost, as the dispatcher shares out messages.

    Of two tenants that had something waiting all the while, what each was given, by its weight,
    differs by at most a turn of each, once their turns are settled. Who comes back is next, and has
    saved nothing up. Nothing here outlives the process: whoever begins has had as much as all.
    """

    def __init__(self) -> None:
        self._shares: dict[str, TenantShare] = {}
        self._waited: frozenset[str] = frozenset()
        self._virtual_time = 0.0

    def look(self, waiting: Mapping[str, float]) -> None:
        """These tenants have something waiting, and these weights; all others have nothing."""
        for tenant, share in [*self._shares.items()]:
            is_ahead = share.v > self._virtual_time and waiting
            if tenant not in waiting and not share.turns and not is_ahead:
                del self._shares[tenant]
        for tenant, weight in waiting.items():
            share = self._shares.setdefault(tenant, TenantShare(weight, self._virtual_time))
            share.weight = weight
            if tenant not in self._waited:
                share.lift(self._virtual_time)
        self._waited = frozenset(waiting)

    def order(self) -> list[str]:
        """Those with something waiting, whose turn it is first."""
        return sorted(self._waited, key=lambda tenant: (self._shares[tenant].v, tenant))

    def begin(self, tenant: str, units: float) -> None:
        """A turn of one with something waiting, which is expected to cost so much."""
        share = self._shares[tenant]
        self._virtual_time = max(self._virtual_time, share.v)
        share.release(units)
        share.turns += 1

    def settle(self, tenant: str, *, expected: float, units: float) -> None:
        """A turn that was begun is over, and has cost so much."""
        share = self._shares[tenant]
        share.largest = max(share.largest, units)
        share.charge(units - expected, self._virtual_time)
        share.turns -= 1
