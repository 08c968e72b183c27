"""`forebay up` with no provider and no key: a real model on this machine answers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import openai
import pytest

from tests.acceptance.command import RunningStack, eventually


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("model-stack").resolve()
    running = RunningStack(
        folder,
        {
            "FOREBAY_EMBEDDED__LOCAL_MODEL": "true",
            "FOREBAY_EMBEDDED__FLOWER": "false",
            "FOREBAY_BREAKERS__OPEN_SECONDS": "0.5",
            "FOREBAY_BREAKERS__REFRESH_SECONDS": "0.1",
        },
    )
    yield running
    running.close()


def _model_pid(stack: RunningStack) -> int | None:
    lines = stack.processes().items()
    return next((pid for pid, line in lines if "workers.local_model" in line), None)


def _ask(stack: RunningStack, text: str, **more: object) -> openai.types.responses.Response:
    client = openai.OpenAI(
        base_url=f"{stack.ready['url']}/v1", api_key=stack.ready["key"], max_retries=0
    )
    return client.responses.create(model="auto", input=text, max_output_tokens=30, **more)  # type: ignore[call-overload, no-any-return]


def test_a_model_of_this_machine_answers_before_rules_and_people(stack: RunningStack) -> None:
    assert stack.ready["providers"] == ["local", "rules", "handoff"]
    response = _ask(stack, "Hello, say hello.", temperature=0)
    assert response.model == "smollm2-135m-instruct"
    assert response.usage is not None
    assert 0 < response.usage.output_tokens <= 30
    assert response.output_text.strip()


def test_it_is_started_again_after_a_kill_and_no_message_is_lost(stack: RunningStack) -> None:
    killed = _model_pid(stack)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    # Whoever is there answers: a rule, or the model that is back.
    assert _ask(stack, "Hello").status in {"completed", "incomplete"}
    assert eventually(lambda: _model_pid(stack) not in {None, killed})
    assert eventually(lambda: _ask(stack, "Hello").model == "smollm2-135m-instruct")
