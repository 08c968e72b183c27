"""`forebay rehearse`: the primary is down for a stated time, and callers are answered."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.command import (
    FOREBAY,
    RunningStack,
    Typed,
    clean_environment,
    eventually,
    http_post,
    printed,
)
from tests.servers.said_line import said_line

_CHAIN = """
[[providers]]
name = "primary"
kind = "openai_compatible"
base_url = "{url}/v1"
model = "m"
max_tries = 1

[[providers]]
name = "rules"
kind = "rules"
rules_file = "{rules}"

[breakers]
open_seconds = 1.0
"""
_RULES = """
[[rule]]
name = "greeting"
answer = "A rule."
[rule.when]
starts_with = ["hello"]
"""


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("chained").resolve()
    provider = subprocess.Popen(
        [FOREBAY[0], "-m", "deploy.scripted_provider", "--port", "0"],
        env=clean_environment(),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    url = said_line(provider, "http")
    (folder / "rules.toml").write_text(_RULES)
    (folder / "forebay.toml").write_text(
        _CHAIN.format(url=url.rstrip("/"), rules=folder / "rules.toml")
    )
    running = RunningStack(folder)
    yield running
    running.close()
    provider.kill()
    provider.wait()


@pytest.fixture
def typed(chained: RunningStack, type_in: Callable[..., Typed]) -> Typed:
    return type_in(chained.folder)


def _answered_by(stack: RunningStack) -> str:
    login = {"Authorization": f"Bearer {stack.ready['key']}"}
    url = f"{stack.ready['url']}/v1/responses"
    return str(http_post(url, json={"input": "hello"}, headers=login).json()["model"])


def test_callers_are_answered_by_the_next_one_while_it_lasts_and_it_ends_by_itself(
    chained: RunningStack, typed: Typed
) -> None:
    assert _answered_by(chained) == "m"
    rehearsing = subprocess.Popen(
        [*FOREBAY, "rehearse", "primary-down", "--for", "6s", "--json"],
        cwd=chained.folder,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    answered: list[str] = []
    while rehearsing.poll() is None:
        answered.append(_answered_by(chained))
    told = json.loads(rehearsing.communicate(timeout=60)[0])
    assert "rules" in answered
    assert rehearsing.returncode == 0
    during = told["during"]
    assert during["answered_by"].keys() == {"rules"}
    assert 0 < during["in_time"] == during["messages"] <= len(answered)
    assert eventually(lambda: _answered_by(chained) == "m")
    result, begun = printed(typed, "audit", "list", "--limit", "2")
    assert (begun["act"], begun["target"]) == ("rehearse", "primary-down")
    said = json.loads(result["detail"])
    assert said == {"of": begun["number"], "messages": during["messages"],
                    "in_time": during["in_time"]}  # fmt: skip


def test_one_that_runs_is_ended_by_whoever_asks_and_refuses_another(
    chained: RunningStack, typed: Typed
) -> None:
    began = subprocess.Popen(
        [*FOREBAY, "rehearse", "--for", "10m"],
        cwd=chained.folder,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert eventually(lambda: _answered_by(chained) == "rules")
    second = typed("rehearse", "models-down", "--for", "5s")
    assert second.returncode == 1
    assert "Another rehearsal runs" in second.stderr
    began.kill()
    began.wait()
    assert printed(typed, "rehearse", "--stop") == {"ended": True}
    assert eventually(lambda: _answered_by(chained) == "m")


def test_a_time_that_is_none_is_refused(typed: Typed) -> None:
    for wrong in ("1s", "31m", "soon"):
        assert typed("rehearse", "primary-down", "--for", wrong).returncode == 2
