"""Phoenix, the real one, shows what a demo sent: a trace for each message, with all that it has
columns for."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.command import forebay
from tests.trials.phoenix.server import PhoenixServer

_PHOENIX = "arize-phoenix==20.26.*"
_SCENES = ("streamed", "conversation_continued", "rules", "background_polled")
_SESSIONS = """{ projects { edges { node { traceCount sessions(first: 50) { edges { node {
    sessionId numTraces tokenUsage { total } } } } } } } }"""


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoenixServer]:
    folder = tmp_path_factory.mktemp("phoenix")
    pip = (str(folder / "bin" / "pip"), "install", "--quiet", "--only-binary", ":all:", _PHOENIX)
    try:
        for command in ((sys.executable, "-m", "venv", str(folder)), pip):
            subprocess.run(command, check=True, capture_output=True, timeout=1_200)
    except subprocess.SubprocessError as error:
        pytest.skip(f"Phoenix could not be installed here: {error}")
    with PhoenixServer(folder / "bin" / "phoenix") as server:
        yield server


@pytest.fixture(scope="module")
def scenes(
    phoenix: PhoenixServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What the demo said of each scene, once Phoenix has all of its spans."""
    only = [word for scene in _SCENES for word in ("--only", scene)]
    done = forebay(
        "demo",
        *only,
        "--json",
        folder=tmp_path_factory.mktemp("demo"),
        FOREBAY_TELEMETRY__TRACES_ENDPOINT=phoenix.traces_endpoint,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {(line := json.loads(each))["scene"]: line for each in done.stdout.splitlines()}


@pytest.fixture(scope="module")
def traces(
    phoenix: PhoenixServer, scenes: dict[str, dict[str, Any]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """By message, the spans of its trace by their names."""

    def by_message() -> dict[str, dict[str, dict[str, Any]]]:
        spans = phoenix.spans()
        trace_of = {
            span["context"]["trace_id"]: span["attributes"]["forebay.message_id"]
            for span in spans
            if "forebay.message_id" in span["attributes"]
        }
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for span in reversed(spans):
            message = trace_of.get(span["context"]["trace_id"])
            if message is not None:
                found.setdefault(message, {})[span["name"]] = span
        return found

    return _eventually(
        by_message, lambda found: len(found) == 5 and all(map(_is_whole, found.values()))
    )


def _is_whole(trace: dict[str, Any]) -> bool:
    return "POST /v1/responses" in trace and "turn" in trace


def test_each_message_is_one_trace_from_the_door_to_the_provider(
    traces: dict[str, dict[str, dict[str, Any]]],
) -> None:
    ids = [{span["context"]["trace_id"] for span in spans.values()} for spans in traces.values()]
    assert all(len(each) == 1 for each in ids)
    assert len(set.union(*ids)) == len(traces)
    for spans in traces.values():
        assert spans["POST /v1/responses"]["parent_id"] is None
        kinds = {name: span["span_kind"] for name, span in spans.items()}
        assert kinds["POST /v1/responses"] == "CHAIN"
        assert kinds["turn"] == "AGENT"
        assert {kind for name, kind in kinds.items() if name.startswith("chat ")} == {"LLM"}


def test_it_shows_model_tokens_and_how_long_a_message_waited(
    traces: dict[str, dict[str, dict[str, Any]]],
) -> None:
    answered = [spans for spans in traces.values() if "chat rules" not in spans]
    assert len(answered) == 4
    for spans in answered:
        chat = spans["chat scripted"]["attributes"]
        assert chat["llm.model_name"] == "scripted"
        assert chat["llm.token_count.prompt"] > 0
        assert chat["llm.token_count.completion"] > 0
        assert spans["turn"]["attributes"]["forebay.queued_seconds"] >= 0


def test_it_shows_how_calls_and_messages_ended(
    traces: dict[str, dict[str, dict[str, Any]]],
) -> None:
    (by_rules,) = [spans for spans in traces.values() if "chat rules" in spans]
    assert by_rules["chat scripted"]["status_code"] == "ERROR"
    for spans in traces.values():
        assert spans["turn"]["status_code"] == "UNSET"
        assert spans["turn"]["attributes"]["forebay.state"] == "completed"


def test_a_conversation_is_a_session_of_one_user(
    phoenix: PhoenixServer,
    scenes: dict[str, dict[str, Any]],
    traces: dict[str, dict[str, dict[str, Any]]],
) -> None:
    conversation = scenes["conversation_continued"]["conversation"]
    told = _eventually(lambda: phoenix.asked(_SESSIONS), bool)
    (project,) = told["projects"]["edges"]
    (session,) = project["node"]["sessions"]["edges"]
    assert session["node"]["sessionId"] == conversation
    assert session["node"]["numTraces"] == 2
    assert session["node"]["tokenUsage"]["total"] > 0
    users = {
        span["attributes"]["user.id"]
        for spans in traces.values()
        for span in spans.values()
        if "user.id" in span["attributes"]
    }
    assert len(users) == 1
    assert "ada@example.com" not in json.dumps(phoenix.spans())


def _eventually(look: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    until = time.monotonic() + 60
    while not holds(found := look()):
        assert time.monotonic() < until, found
        time.sleep(0.2)
    return found
