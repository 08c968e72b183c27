from __future__ import annotations

from typing import Any

import pytest

from deploy.cli.send.result import result_of, text_of


def _response(status: str, **fields: Any) -> dict[str, Any]:
    return {"id": "resp_1", "status": status, "model": "m", "output": [], **fields}


@pytest.mark.parametrize(
    ("status", "ok"),
    [
        ("completed", True),
        ("queued", True),
        ("requires_action", True),
        ("failed", False),
        ("cancelled", False),
        ("incomplete", False),
    ],
)
def test_accepted_and_answered_messages_are_fine_and_others_are_not(status: str, ok: bool) -> None:
    assert result_of(_response(status), line=1, seconds=0.1, waits=0).ok is ok


def test_a_failed_message_tells_why() -> None:
    response = _response("failed", error={"code": "server_error", "message": "The chain ended."})
    result = result_of(response, line=7, seconds=0.1, waits=2)
    assert (result.line, result.error, result.waits) == (7, "The chain ended.", 2)


def test_the_text_is_that_of_all_parts_and_none_while_there_is_none() -> None:
    parts = [{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]
    assert text_of(_response("completed", output=[{"content": parts}])) == "ab"
    assert text_of(_response("queued")) is None
