"""`forebay up`: usable by real clients, leaves nothing behind, forgets nothing."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import openai

from tests.acceptance.command import (
    RunningStack,
    Typed,
    eventually,
    forebay,
    http_get,
    printed,
    processes_in,
)

Start = Callable[[], RunningStack]


def _client(stack: RunningStack) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{stack.ready['url']}/v1", api_key=stack.ready["key"], max_retries=0
    )


def test_it_says_once_it_is_ready_how_to_use_it(stack: RunningStack) -> None:
    ready = stack.ready
    assert ready["ready"] is True
    assert ready["seconds"] > 0
    assert ready["providers"] == ["rules", "handoff"]
    assert Path(ready["folder"]) == stack.folder / ".forebay"
    assert http_get(ready["docs_url"]).status_code == 200
    assert http_get(ready["console_url"]).status_code == 200


def test_the_real_openai_client_is_answered_by_a_rule(stack: RunningStack) -> None:
    response = _client(stack).responses.create(model="auto", input="Hello there")
    assert response.status == "completed"
    assert response.model == "rules"
    assert response.output_text.startswith("Hello!")


def test_it_is_healthy_in_its_own_words_and_in_the_commands(
    stack: RunningStack, typed: Typed
) -> None:
    assert eventually(lambda: typed("status").returncode == 0)
    assert printed(typed, "status")["findings"] == []
    assert http_get(f"{stack.ready['url']}/status").json()["state"] == "healthy"


def test_without_a_redis_on_the_machine_it_runs_the_one_from_the_wheel(stack: RunningStack) -> None:
    lines = stack.processes().values()
    assert [line for line in lines if "valkey-server" in line]


def test_flower_shows_its_tasks_to_whoever_has_the_login(stack: RunningStack) -> None:
    _client(stack).responses.create(model="auto", input="Thanks")
    url = f"{stack.ready['flower_url']}/api/tasks"
    login = (stack.ready["flower_user"], stack.ready["flower_password"])
    assert http_get(url).status_code == 401
    assert eventually(
        lambda: any(
            task["state"] == "SUCCESS"
            for task in http_get(url, auth=login).raise_for_status().json().values()
        )
    )


def test_everything_listens_on_loopback_and_no_secret_is_on_a_command_line(
    stack: RunningStack,
) -> None:
    lines = stack.processes().values()
    assert len(lines) >= 5
    secrets = [stack.ready[name] for name in ("key", "admin_key", "flower_password")]
    assert not [line for line in lines for secret in secrets if secret in line]
    assert not [line for line in lines if "0.0.0.0" in line or "redis://" in line]


def test_its_folder_is_for_this_user_only(stack: RunningStack) -> None:
    folder = Path(stack.ready["folder"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for private in ("credentials.json", "stack.json"):
        assert stat.S_IMODE((folder / private).stat().st_mode) == 0o600


def test_a_second_one_in_the_same_folder_says_who_has_it(stack: RunningStack) -> None:
    second = forebay("up", "--json", folder=stack.folder)
    assert second.returncode == 1
    assert second.stdout == ""
    assert stack.ready["url"] in second.stderr
    assert str(stack.ready["pid"]) in second.stderr


def test_a_part_that_cannot_start_is_named_with_its_reason_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    broken = '[{"name": "r", "kind": "rules", "rules_file": "nowhere.toml"}]'
    failed = forebay("up", "--json", folder=tmp_path, FOREBAY_PROVIDERS=broken)
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "worker-1" in failed.stderr
    assert "nowhere.toml" in failed.stderr
    assert "worker-1.log" in failed.stderr
    assert eventually(lambda: not processes_in(tmp_path.resolve()))


def test_a_killed_worker_is_started_again(stack: RunningStack) -> None:
    def workers() -> list[int]:
        return [
            pid
            for pid, line in stack.processes().items()
            if line.startswith(f"{sys.executable} -m workers ")
        ]

    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    assert eventually(lambda: bool(workers()) and worker not in workers())
    response = _client(stack).responses.create(model="auto", input="Hello again")
    assert response.status == "completed"


def test_ctrl_c_drains_it_and_no_process_is_left(start: Start) -> None:
    _is_drained_by(signal.SIGINT, start())


def test_a_kill_of_it_alone_leaves_no_process_and_a_restart_finds_its_data(start: Start) -> None:
    first = start()
    answered = _client(first).responses.create(model="auto", input="Hello there")
    assert len(first.processes()) >= 5
    first.kill()
    assert eventually(lambda: not first.processes()), first.processes()
    second = start()
    assert second.ready["key"] == first.ready["key"]
    again = _client(second).responses.retrieve(answered.id)
    assert again.output_text == answered.output_text
    _is_drained_by(signal.SIGTERM, second)


def _is_drained_by(number: signal.Signals, stack: RunningStack) -> None:
    assert stack.processes()
    stack.process.send_signal(number)
    assert stack.process.wait(120) == 0
    assert eventually(lambda: not stack.processes()), stack.processes()
    assert not (stack.folder / ".forebay" / "stack.json").exists()
