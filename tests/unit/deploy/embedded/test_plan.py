"""The plan of one run: what commands beside it are told."""

from __future__ import annotations

from pathlib import Path

from deploy.embedded.chain import chain_behind
from deploy.embedded.files.credentials import Credentials
from deploy.embedded.files.folder import StackFolder
from deploy.embedded.plan import plan_run
from shared.settings import load_settings


def test_commands_beside_a_stack_know_the_chain_that_it_was_started_with(tmp_path: Path) -> None:
    named = chain_behind(
        {
            "name": "model",
            "kind": "openai_compatible",
            "base_url": "http://127.0.0.1:9/v1",
            "model": "m",
        }
    )
    plan = plan_run(
        StackFolder(tmp_path), Credentials(redis_password="r", flower_password="f"), named
    )
    told = load_settings(plan.overlay)
    assert [each.name for each in told.providers] == ["model", "rules", "handoff"]
    assert told.providers == plan.settings.providers
