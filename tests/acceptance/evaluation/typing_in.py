"""What the tests of `forebay eval` type, and what the model answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deploy.cli.demo.scenes.quality.evaluated import true_answer
from deploy.scripted_provider.behaviour import Kind
from shared.evaluation.golden.golden_set import read_golden_set
from tests.acceptance.command import RunningStack, Typed, http_post, printed
from tests.integration.workers.provider_thread import ProviderThread


def answer_truly(provider: ProviderThread, *, but: tuple[str, ...] = ()) -> None:
    """As an honest model does, but for these cases, which are evaded."""
    golden, _ = read_golden_set("account")
    provider.reset()
    for case in golden.cases:
        text = "I would rather not say." if case.id in but else true_answer(case)
        provider.behave(Kind.ANSWER, contains=case.asked, text=text)


def written(folder: Path, name: str, *cases: dict[str, Any]) -> str:
    (folder / name).write_text("".join(f"{json.dumps(each)}\n" for each in cases))
    return name


def ran(typed: Typed, *words: str) -> dict[str, Any]:
    return dict(printed(typed, "eval", "run", *words))


def gated(typed: Typed, *words: str, code: int) -> dict[str, Any]:
    done = typed("eval", "gate", *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def asked(stack: RunningStack, key: str | None = None, **body: Any) -> str:
    """The id of a message that was answered."""
    url = f"{stack.ready['url']}/v1/responses"
    answer = http_post(url, json={"model": "scripted", **body}, headers=key_of(stack, key)).json()
    assert answer["status"] == "completed", answer
    return str(answer["id"])


def key_of(stack: RunningStack, key: str | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key or stack.ready['key']}"}
