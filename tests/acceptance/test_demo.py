"""`forebay demo`: every scene as it should be, in the time that is promised."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.acceptance.command import forebay, slowdown

SCENES = {
    "answered",
    "streamed",
    "cut_and_resumed",
    "background_polled",
    "idempotency",
    "burst_429",
    "provider_outage",
    "rules",
    "handoff",
    "raw_queue",
    "worker_killed",
    "flower",
}


def test_every_scene_is_one_json_object_and_goes_well(tmp_path: Path) -> None:
    began = time.monotonic()
    shown = forebay("demo", "--json", folder=tmp_path)
    seconds = time.monotonic() - began
    scenes = {scene["scene"]: scene for scene in map(json.loads, shown.stdout.splitlines())}
    assert not [scene for scene in scenes.values() if not scene["ok"]], shown.stderr
    assert scenes.keys() == SCENES
    assert shown.returncode == 0
    assert scenes["burst_429"]["refused"] > 0
    assert scenes["worker_killed"]["answers"] == 1
    assert scenes["flower"]["finished_tasks"] >= 10
    assert seconds < 20 * slowdown()
