"""`forebay send`: one message, many, and lines that are none."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.command import RunningStack, forebay


def test_one_message_is_answered_by_the_stack_in_this_folder(stack: RunningStack) -> None:
    sent = forebay("send", "Hello there", folder=stack.folder)
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.startswith("Hello!")


def test_as_json_it_says_what_became_of_the_message(stack: RunningStack) -> None:
    sent = forebay("send", "Hello there", "--json", folder=stack.folder)
    result = json.loads(sent.stdout)
    assert (result["ok"], result["status"], result["line"]) == (True, "completed", 1)
    assert result["id"].startswith("resp_")
    assert result["output_text"].startswith("Hello!")


def test_a_stream_prints_the_text_and_as_json_its_events(stack: RunningStack) -> None:
    assert forebay("send", "Hello", "--stream", folder=stack.folder).stdout.startswith("Hello!")
    events = forebay("send", "Hello", "--stream", "--json", folder=stack.folder).stdout
    types = [json.loads(line)["type"] for line in events.splitlines()]
    assert types[0] == "response.created"
    assert types[-1] == "response.completed"


def test_a_bad_line_of_many_is_named_and_the_others_are_answered(
    stack: RunningStack, tmp_path: Path
) -> None:
    file = tmp_path / "questions.jsonl"
    lines = ['"Hello one"', "{not json", '{"input": "Hello two"}', '{"input": "hi", "model": 17}']
    file.write_text("\n".join(lines))
    sent = forebay("send", "--file", str(file), "--json", folder=stack.folder)
    results = {result["line"]: result for result in map(json.loads, sent.stdout.splitlines())}
    assert sent.returncode == 1
    assert {line: result["ok"] for line, result in results.items()} == {1: True, 3: True, 4: False}
    assert "model" in results[4]["error"]
    assert "Line 2 is not JSON" in sent.stderr
    assert "3 messages" in sent.stderr


def test_messages_come_from_standard_input_too(stack: RunningStack) -> None:
    sent = forebay(
        "send", "--stdin", "--background", "--json", folder=stack.folder, stdin="Hello\nThanks\n"
    )
    assert sent.returncode == 0, sent.stderr
    assert [json.loads(line)["status"] for line in sent.stdout.splitlines()] == ["queued"] * 2


def test_a_wrong_key_and_an_absent_door_are_said_plainly(stack: RunningStack) -> None:
    refused = forebay("send", "Hello", folder=stack.folder, FOREBAY_API_KEY="fb_wrong")
    assert refused.returncode == 1
    assert "key" in refused.stderr
    absent = forebay("send", "Hello", "--url", "http://127.0.0.1:9", folder=stack.folder)
    assert absent.returncode == 1
    assert "forebay up" in absent.stderr
