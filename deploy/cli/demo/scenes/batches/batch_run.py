"""A file of messages: one that is wrong, two that are equal, and the rest."""

from __future__ import annotations

from typing import Any, Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage, until
from deploy.cli.demo.visitor import Heard

_QUESTIONS: Final = tuple(f"Summarise chapter {number} of the manual." for number in range(1, 7))
_ENDED: Final = {"completed", "failed", "expired", "cancelled"}


async def batch_run(stage: Stage) -> Told:
    lines = [line(f"chapter-{place}", text) for place, text in enumerate(_QUESTIONS, 1)]
    lines.append(line("chapter-1-again", _QUESTIONS[0]))
    lines.append(line("not-a-question", 7))
    batch = await run_batch(stage, lines)
    counts = batch.body["request_counts"]
    expect(batch.state == "completed", f"The batch is {batch.state}: {batch.body.get('errors')}.")
    expect(counts == {"total": 8, "completed": 7, "failed": 1}, f"The counts are {counts}.")
    answers = await stage.visitor.lines_of(batch.body["output_file_id"])
    (refused,) = await stage.visitor.lines_of(batch.body["error_file_id"])
    expect(refused["custom_id"] == "not-a-question", f"Refused was {refused}.")
    calls = sum(stage.primary.calls.by_content[text] for text in _QUESTIONS)
    expect(calls == len(_QUESTIONS), f"The provider was called {calls} times.")
    texts = {each["custom_id"]: _text(each) for each in answers}
    expect(texts["chapter-1"] == texts["chapter-1-again"], "Equal lines have different answers.")
    error = (refused.get("response") or refused)["body"]["error"]
    return Told(
        f"A file of {counts['total']} lines: {counts['completed']} answered with {calls} calls, "
        f"for two lines were equal, and one is in the error file: “{error['message']}”",
        {"lines": counts["total"], "answered": counts["completed"], "provider_calls": calls},
    )


def line(custom_id: str, text: object) -> dict[str, Any]:
    """One of a batch's file."""
    body = {"model": "scripted", "input": text}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": body}


async def run_batch(stage: Stage, lines: list[dict[str, Any]], *, window: str = "2m") -> Heard:
    """The batch of these lines, once it has ended or a minute is over."""
    file = await stage.visitor.upload(lines, name="questions.jsonl")
    expect(file.status == 200, f"The upload was answered with {file.status}: {file.body}.")
    begun = await stage.visitor.begin_batch(file.body["id"], window=window)
    expect(begun.status == 200, f"The batch was answered with {begun.status}: {begun.body}.")
    heard = begun

    async def has_ended() -> bool:
        nonlocal heard
        heard = await stage.visitor.batch(begun.body["id"])
        return heard.state in _ENDED

    await until(has_ended)
    return heard


def _text(result: dict[str, Any]) -> str:
    return Heard(200, {}, result["response"]["body"]).text
