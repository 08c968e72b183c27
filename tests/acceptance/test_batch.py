"""`forebay batch`: a file of requests from its upload to its results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.command import RunningStack, Typed, forebay, http_post


def requests(*texts: str) -> str:
    return "".join(
        json.dumps(
            {
                "custom_id": f"line-{number}",
                "method": "POST",
                "url": "/v1/responses",
                "body": {"input": text},
            }
        )
        + "\n"
        for number, text in enumerate(texts)
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "requests.jsonl"
    written.write_text(requests("Hello there", "Hello again"))
    return written


def test_a_file_is_submitted_followed_and_its_results_are_written(
    typed: Typed, stack: RunningStack, file: Path, tmp_path: Path
) -> None:
    submitted = forebay("batch", "submit", str(file), "--watch", folder=stack.folder)
    assert submitted.returncode == 0, submitted.stderr
    assert "2 of 2 answered" in submitted.stdout
    batch_id = submitted.stdout.split()[1]
    out = tmp_path / "results.jsonl"
    saved = typed("batch", "results", batch_id, "--out", str(out))
    assert (saved.returncode, saved.stderr) == (0, "")
    assert saved.stdout == f"2 lines written to {out}.\n"
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["custom_id"] for line in lines] == ["line-0", "line-1"]
    login = {"Authorization": f"Bearer {stack.ready['key']}"}
    url = f"{stack.ready['url']}/v1/responses/{lines[0]['id']}/feedback"
    said = http_post(url, json={"name": "helpful", "value": "good"}, headers=login)
    assert (said.status_code, said.json()["score"]) == (200, 1.0), said.text
    printed = forebay("batch", "results", batch_id, folder=stack.folder)
    assert printed.stdout == out.read_text()
    wrong = typed("batch", "results", batch_id, "--errors", "--json", "--out", str(tmp_path / "e"))
    assert json.loads(wrong.stdout)["lines"] == 0
    nowhere = typed("batch", "results", batch_id, "--out", "/nonexistent/x")
    assert (nowhere.returncode, "cannot be written" in nowhere.stderr) == (2, True)
    status = json.loads(typed("batch", "status", batch_id, "--json").stdout)
    assert (status["id"], status["status"]) == (batch_id, "completed")
    assert batch_id in typed("batch", "list").stdout
    assert batch_id in [each["id"] for each in json.loads(typed("batch", "list", "--json").stdout)]
    again = typed("batch", "cancel", batch_id)
    assert again.returncode == 1
    assert "completed already" in again.stderr
    late = typed("batch", "cancel", batch_id, "--line", "line-0")
    assert (late.returncode, "completed already" in late.stderr) == (1, True)


def test_a_file_with_a_wrong_line_fails_and_the_line_is_named(typed: Typed, file: Path) -> None:
    with file.open("a") as more:
        more.write("{not json\n")
    submitted = typed("batch", "submit", str(file), "--watch")
    assert submitted.returncode == 1
    assert "failed" in submitted.stdout
    assert "Line 3: " in submitted.stderr


def test_with_json_each_change_is_a_line(typed: Typed, file: Path) -> None:
    file.write_text(requests("Hello in JSON"))
    submitted = typed("batch", "submit", str(file), "--watch", "--json")
    states = [json.loads(line)["status"] for line in submitted.stdout.splitlines()]
    assert states[-1] == "completed"
    made = json.loads(typed("batch", "submit", str(file), "--json", "--window", "1h").stdout)
    assert made["completion_window"] == "1h"


def test_what_cannot_be_done_is_said_in_one_sentence(typed: Typed, file: Path) -> None:
    kept = file.with_name("results.jsonl")
    kept.write_text("of another day")
    for words, code, told in (
        (("submit", "nothing.jsonl"), 2, "cannot be read"),
        (("submit", str(file), "--window", "2d"), 1, "completion_window"),
        (("submit", str(file), "--endpoint", "/v1/x"), 1, "/v1/chat/completions"),
        (("status", f"batch_{'0' * 32}"), 1, "No batch found"),
        (("status", "../files"), 2, "is no id of a batch"),
        (("results", f"batch_{'0' * 32}", "--out", str(kept)), 1, "No batch found"),
        (("list", "--url", "http://127.0.0.1:9"), 1, "does not answer"),
        (("list", "--key", "fb_wrong"), 1, "key"),
    ):
        said = typed("batch", *words)
        assert (said.returncode, told in said.stderr) == (code, True), said
        assert len(said.stderr.splitlines()) == 1
    assert kept.read_text() == "of another day"
