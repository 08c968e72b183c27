"""`forebay demo`: every scene as it should be."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import forebay

SCENES = {
    "answered",
    "streamed",
    "cut_and_resumed",
    "background_polled",
    "idempotency",
    "burst_429",
    "tool_and_outage",
    "image_seen",
    "structured_answer",
    "conversation_continued",
    "provider_outage",
    "breaker",
    "hedging",
    "local_model",
    "rules",
    "handoff",
    "raw_queue",
    "worker_killed",
    "hallucinated_balance",
    "forbidden_span",
    "long_conversation",
    "evaluated",
    "alert_received",
    "routing",
    "exact_hit",
    "single_flight",
    "semantic_hit",
    "wrong_hit",
    "budget_stop",
    "batch_run",
    "batch_cancelled",
    "line_cancelled",
    "provider_batch",
    "pulled_forward",
    "flood_beside",
    "gives_way",
    "webhook_received",
    "indexed",
    "found",
    "cited",
    "forgotten",
    "flower",
    "own_figures",
}
SAVING = {
    "cut_and_resumed",
    "idempotency",
    "burst_429",
    "long_conversation",
    "routing",
    "exact_hit",
    "single_flight",
    "semantic_hit",
    "budget_stop",
    "provider_batch",
    "forgotten",
}
FREE = {
    "local_model",
    "rules",
    "handoff",
    "pulled_forward",
    "flood_beside",
    "gives_way",
    "indexed",
    "found",
    "own_figures",
}


FEW_DOCUMENTS = ("--index", "docs", "--index", "shared/persistence", "--index", "shared/resilience")
"""Enough to be killed in; all of `shared/` is four times as much to embed."""


@pytest.mark.timeout(400)
def test_every_scene_is_one_json_object_and_goes_well(tmp_path: Path) -> None:
    shown = forebay("demo", "--json", *FEW_DOCUMENTS, folder=tmp_path, seconds=380)
    scenes = {scene["scene"]: scene for scene in map(json.loads, shown.stdout.splitlines())}
    assert not [scene for scene in scenes.values() if not scene["ok"]], shown.stderr
    assert shown.returncode == 0, shown.stderr
    total = scenes.pop("total")
    assert scenes.keys() == SCENES
    _adds_up(scenes, total)
    assert scenes["burst_429"]["refused"] > 0
    assert scenes["worker_killed"]["answers"] == 1
    assert scenes["flower"]["finished_tasks"] >= 10
    assert scenes["breaker"]["probes"] == 1
    assert scenes["breaker"]["workers"] == 2
    assert scenes["forbidden_span"]["digits_leaked"] == 0
    assert scenes["wrong_hit"]["similarity"] > scenes["semantic_hit"]["similarity"]
    assert scenes["tool_and_outage"]["answered_over"] == "anthropic"
    assert scenes["structured_answer"]["provider_calls"] == 2
    assert scenes["evaluated"]["gates"] == ["pass", "fail"]
    assert scenes["batch_run"]["provider_calls"] == 6
    assert scenes["batch_cancelled"]["answers_kept"] == 5
    assert scenes["line_cancelled"]["answered"] == 6
    assert scenes["pulled_forward"]["pulled"] == 4
    assert scenes["pulled_forward"]["seconds_left"] > 0
    assert scenes["gives_way"]["calls_again"] > 0
    assert scenes["indexed"]["points"] == scenes["indexed"]["passages"] > 1_000
    assert scenes["found"]["by_name"] == 1
    assert scenes["cited"]["cited"]
    assert Decimal(scenes["own_figures"]["cost"]) == Decimal(total["spent"])
    assert scenes["own_figures"]["messages"] > 100
    assert scenes["own_figures"]["refused"] >= scenes["burst_429"]["refused"]


def test_only_the_scenes_that_are_asked_for_are_played(tmp_path: Path) -> None:
    listed = forebay("demo", "--list", "--json", folder=tmp_path)
    assert set(json.loads(listed.stdout)) == SCENES
    told = forebay("demo", "--list", folder=tmp_path).stdout
    assert re.search(r"^handoff +No model and no rule knows; a person answers", told, re.MULTILINE)
    asked = ("--only", "image_seen", "--only", "answered")
    shown = forebay("demo", "--json", *asked, folder=tmp_path)
    scenes = [json.loads(line)["scene"] for line in shown.stdout.splitlines()]
    assert scenes == ["answered", "image_seen", "total"]
    assert shown.returncode == 0


def _adds_up(scenes: dict[str, Any], total: dict[str, Any]) -> None:
    """What was spent and saved is said by every scene, and in all."""
    for figure in ("spent", "saved"):
        assert Decimal(total[figure]) == sum(Decimal(scene[figure]) for scene in scenes.values())
    assert {name for name, scene in scenes.items() if scene["saved"] != "0"} == SAVING
    assert {name for name, scene in scenes.items() if scene["spent"] == "0"} == FREE


def test_what_is_no_folder_of_the_repository_is_not_indexed(tmp_path: Path) -> None:
    for wrong in ("nowhere", "..", "README.md"):
        refused = forebay("demo", "--index", wrong, folder=tmp_path)
        assert refused.returncode == 2
        assert f"--index '{wrong}' is no folder of Forebay's repository" in refused.stderr
