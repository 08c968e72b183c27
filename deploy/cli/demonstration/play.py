"""Plays the scenes, one after the other, and shows each as it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec

from deploy.cli.demonstration.scene import Scene, Told
from deploy.cli.demonstration.scenes.answered import answered
from deploy.cli.demonstration.scenes.background import background_polled
from deploy.cli.demonstration.scenes.burst import burst_429
from deploy.cli.demonstration.scenes.flower import flower
from deploy.cli.demonstration.scenes.handoff import handoff
from deploy.cli.demonstration.scenes.idempotency import idempotency
from deploy.cli.demonstration.scenes.killed import worker_killed
from deploy.cli.demonstration.scenes.outage import provider_outage
from deploy.cli.demonstration.scenes.queue import raw_queue
from deploy.cli.demonstration.scenes.resumed import cut_and_resumed
from deploy.cli.demonstration.scenes.rules import rules
from deploy.cli.demonstration.scenes.streamed import streamed
from deploy.cli.demonstration.stage import Stage
from shared.errors import ForebayError

SCENES: Final[tuple[Scene, ...]] = (
    answered,
    streamed,
    cut_and_resumed,
    background_polled,
    idempotency,
    burst_429,
    provider_outage,
    rules,
    handoff,
    raw_queue,
    worker_killed,
    flower,
)
_SCENE_SECONDS: Final = 30.0


class Played(msgspec.Struct, frozen=True):
    """How one scene went."""

    scene: str
    ok: bool
    seconds: float
    told: str
    figures: dict[str, object] = {}

    def flat(self) -> dict[str, object]:
        """One object: `scene`, `ok`, then the figures."""
        head = {"scene": self.scene, "ok": self.ok, "seconds": self.seconds, "told": self.told}
        return {**head, **self.figures}


async def play_all(stage: Stage, *, show: Callable[[Played], None]) -> bool:
    """Whether all went well; one that fails does not stop the others."""
    went_well = True
    for scene in SCENES:
        stage.reset()
        played = await _play(scene, stage)
        show(played)
        went_well = went_well and played.ok
    return went_well


async def _play(scene: Scene, stage: Stage) -> Played:
    name = getattr(scene, "__name__", "scene")
    began = time.monotonic()
    try:
        async with asyncio.timeout(_SCENE_SECONDS):
            told = await scene(stage)
        is_ok = True
    except ForebayError as error:
        told, is_ok = Told(error.message), False
    except Exception as error:  # noqa: BLE001 - the border of one scene; the others still play
        told, is_ok = Told(f"{type(error).__name__}: {error}"), False
    return Played(name, is_ok, round(time.monotonic() - began, 3), told.sentence, told.figures)
