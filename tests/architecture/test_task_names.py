"""A task name belongs to one app: two would race for its messages, none would lose them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

APPS = ("workers.app", "indexer.app")
# Read by a plain consumer in the ingress, not by a Celery app.
CONSUMED_WITHOUT_AN_APP = {"forebay.intake"}

LIST_TASKS = """
import importlib, json, sys
app = importlib.import_module(sys.argv[1]).app
app.loader.import_default_modules()
print(json.dumps([name for name in app.tasks if not name.startswith("celery.")]))
"""


def test_each_task_name_is_registered_in_exactly_one_app() -> None:
    if not (ROOT / "shared/queueing/task_names.py").exists() or not _apps():
        pytest.skip("there are no task names or no apps yet")
    from shared.queueing.task_names import TaskName

    registered = [name for app in _apps() for name in _tasks_of(app)]
    assert sorted(registered) == sorted(set(TaskName) - CONSUMED_WITHOUT_AN_APP)


def _apps() -> list[str]:
    return [app for app in APPS if (ROOT / app.replace(".", "/")).with_suffix(".py").exists()]


def _tasks_of(app: str) -> list[str]:
    listed = subprocess.run(
        [sys.executable, "-c", LIST_TASKS, app],
        cwd=ROOT,
        env={**os.environ, "FOREBAY_LEDGER__URL": "sqlite+aiosqlite:///unused.sqlite3"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert listed.returncode == 0, listed.stderr
    names: list[str] = json.loads(listed.stdout.splitlines()[-1])
    return names
