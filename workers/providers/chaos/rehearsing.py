"""A rehearsal in one worker: its chain is another one, with faults, for as long as it lasts."""

from __future__ import annotations

from collections.abc import Callable

from shared.errors import Unavailable
from shared.rehearsals.board import RehearsalBoard
from shared.rehearsals.rehearsal import RunningDrill
from shared.settings.turn.chaos import InjectionSettings
from shared.telemetry.logs import get_logger
from workers.providers.chain import Chain

BuildChain = Callable[[tuple[InjectionSettings, ...]], Chain]


class Rehearsing:
    """Puts the links of a chain with injections in the place of its own, and these back.

    The chains have connections, limits and breakers in common: breakers see the faults as they
    would see real ones. Calls that are under way go on as they began.
    """

    def __init__(self, chain: Chain, build: BuildChain, board: RehearsalBoard) -> None:
        self._chain = chain
        self._usual = chain.links
        self._build = build
        self._board = board
        self._running: RunningDrill | None = None
        self._log = get_logger(__name__)

    async def look(self) -> None:
        """See whether one runs. Without Redis the usual links are used: nobody could end it."""
        try:
            wanted = await self._board.now()
        except Unavailable:
            self._follow(None)
            raise
        self._follow(wanted)

    def _follow(self, wanted: RunningDrill | None) -> None:
        if wanted == self._running:
            return
        self._running = wanted
        if wanted is None:
            self._chain.links = self._usual
            self._log.warning("rehearsal_ended")
            return
        self._chain.links = self._build(wanted.injections).links
        self._log.warning("rehearsal_began", drill=wanted.drill, number=wanted.number)
