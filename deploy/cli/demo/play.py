"""Plays the scenes, one after the other, and shows each as it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from deploy.cli.demo.dollars import NOTHING, amount
from deploy.cli.demo.scene import Scene, Told, name_of
from deploy.cli.demo.stage import Stage
from shared.costs.price import NANO
from shared.errors import ForebayError

TOTAL: Final = "total"
_SCENE_SECONDS: Final = 300.0


class Played(msgspec.Struct, frozen=True):
    """How one scene went, what the ledger booked for it, and what it would have cost more."""

    scene: str
    ok: bool
    seconds: float
    told: str
    spent: Decimal = NOTHING
    saved: Decimal = NOTHING
    figures: dict[str, object] = {}

    def flat(self) -> dict[str, object]:
        """One object: `scene`, `ok`, …, money as decimal strings, then the figures."""
        head = {"scene": self.scene, "ok": self.ok, "seconds": self.seconds, "told": self.told}
        money = {"spent": amount(self.spent), "saved": amount(self.saved)}
        return {**head, **money, **self.figures}


async def play_all(
    stage: Stage, scenes: Sequence[Scene], *, show: Callable[[Played], None]
) -> bool:
    """Whether all went well; one that fails does not stop the others. Totals are shown last."""
    all_played: list[Played] = []
    for scene in scenes:
        await stage.reset()
        played = await _play(scene, stage)
        show(played)
        all_played.append(played)
    total = _total(all_played, spent=await stage.books.spent())
    show(total)
    return total.ok


async def _play(scene: Scene, stage: Stage) -> Played:
    spent_before = await stage.books.spent()
    began = time.monotonic()
    try:
        async with asyncio.timeout(_SCENE_SECONDS):
            told = await scene(stage)
        is_ok = True
    except ForebayError as error:
        told, is_ok = Told(error.message), False
    except Exception as error:  # noqa: BLE001 - the border of one scene; the others still play
        told, is_ok = Told(f"{type(error).__name__}: {error}"), False
    return Played(
        name_of(scene),
        is_ok,
        round(time.monotonic() - began, 3),
        told.sentence,
        spent=await stage.books.spent() - spent_before,
        saved=told.saved.quantize(NANO),
        figures=told.figures,
    )


def _total(all_played: Sequence[Played], *, spent: Decimal) -> Played:
    """All scenes as one; what was spent is the ledger's own sum."""
    failed = [played.scene for played in all_played if not played.ok]
    return Played(
        TOTAL,
        not failed,
        round(sum(played.seconds for played in all_played), 3),
        f"Not as they should: {', '.join(failed)}." if failed else "All as it should be.",
        spent=spent,
        saved=sum((played.saved for played in all_played), NOTHING),
        figures={"scenes": len(all_played)},
    )
