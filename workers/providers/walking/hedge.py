"""The one call that may be made beside a late one: when, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence

from pybreaker import CircuitBreakerError

from shared.breakers.breaker import Breaker, Permit
from shared.breakers.reading import CallOutcome
from workers.providers.deployments.route import DeploymentRoute
from workers.providers.error_class import ErrorClass
from workers.providers.provider import Prompt, Sink
from workers.providers.walking.lateness import HedgeEnd, Hedging
from workers.providers.walking.link import AdmittedCall, ChainLink, Leave
from workers.providers.walking.means import Sleep
from workers.providers.walking.race import OpenSecond, Race, Racer


class Hedge:
    """What one message may have of hedging: one second call at most, by a model that is well."""

    def __init__(self, hedging: Hedging) -> None:
        self._hedging = hedging
        self._is_used = False

    def race(
        self,
        first: Racer,
        open_second: OpenSecond,
        *,
        permit: Leave | None,
        sink: Sink | None,
        sleep: Sleep,
    ) -> Race | None:
        """The call with a second one beside it once it is late; None where it stays alone.

        A probe is never hedged: it is made to find out, not to be fast.
        """
        if self._is_used or permit is None or permit.is_probe:
            return None
        kind = (first.call.label, first.call.model, sink is not None)
        patience = self._hedging.patience_seconds(kind)
        if patience is None:
            return None
        return Race(first, open_second, sink=sink, patience_seconds=patience, sleep=sleep)

    async def second(
        self,
        links: Sequence[ChainLink],
        prompt: Prompt,
        *,
        beside: tuple[ChainLink, DeploymentRoute] | None = None,
    ) -> AdmittedCall | None:
        """The next model that everybody may call, with leave to call it.

        Before those of `links` another deployment of the one that is `beside` it.
        """
        places = [(link, link.deployments.route() if link.deployments else None) for link in links]
        for link, route in (*([beside] if beside else []), *places):
            admitted = None if link.is_stopgap else await _admitted(link, route, prompt)
            if admitted is None:
                continue
            if self._hedging.spend():
                self._is_used = True
                return admitted
            if admitted.permit is not None:
                await admitted.permit.end(CallOutcome.NEUTRAL)
            return None
        return None

    def count(self, race: Race) -> None:
        """Count what came of the second call, if there was one."""
        second = race.second
        if second is None or second.record is None:
            return
        end = HedgeEnd.FAILED
        if second.record.error_class is None:
            end = HedgeEnd.WON
        elif second.record.error_class is ErrorClass.HEDGED_AWAY:
            end = HedgeEnd.LOST
        self._hedging.count(second.provider, end)


async def _admitted(
    link: ChainLink, route: DeploymentRoute | None, prompt: Prompt
) -> AdmittedCall | None:
    if route is not None:
        seat = await route.spare_seat(prompt)
        admitted = None if seat is None else link.seated(seat)
    else:
        breaker = link.breaker(prompt.model)
        permit = await _permit(breaker) if breaker is not None else None
        admitted = None if permit is None else AdmittedCall(link, permit)
    if admitted is None or admitted.permit is None or not admitted.permit.is_probe:
        return admitted
    await admitted.permit.end(CallOutcome.NEUTRAL)
    return None


async def _permit(breaker: Breaker) -> Permit | None:
    if not breaker.is_closed:
        return None
    try:
        return await breaker.admit()
    except CircuitBreakerError:
        return None
