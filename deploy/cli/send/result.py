"""What became of one message."""

from __future__ import annotations

from typing import Any

import msgspec


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, or why there is none. `waits` counts the times the door asked to come later."""

    line: int
    ok: bool
    id: str | None = None
    status: str | None = None
    output_text: str | None = None
    model: str | None = None
    error: str | None = None
    seconds: float = 0.0
    first_token_seconds: float | None = None
    waits: int = 0


def result_of(response: dict[str, Any], *, line: int, seconds: float, waits: int) -> Result:
    """From OpenAI's response object. Queued and handed-off messages are accepted, thus fine."""
    fault = response.get("error") or {}
    status = response.get("status")
    return Result(
        line=line,
        ok=status in {"completed", "queued", "in_progress", "requires_action"},
        id=response.get("id"),
        status=status,
        output_text=text_of(response),
        model=response.get("model"),
        error=fault.get("message"),
        seconds=round(seconds, 4),
        waits=waits,
    )


def text_of(response: dict[str, Any]) -> str | None:
    """The text of all output messages; None when there is none yet."""
    texts = [
        part.get("text", "")
        for item in response.get("output") or []
        for part in item.get("content") or []
    ]
    return "".join(texts) if texts else None
