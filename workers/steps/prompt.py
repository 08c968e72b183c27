"""From a turn to what a provider is told."""

from __future__ import annotations

from typing import Any

from workers.providers.provider import AUTOMATIC_MODEL, Message, Prompt
from workers.turn import Turn


def prompt_of(turn: Turn) -> Prompt:
    """The prompt of a turn whose conversation has been recalled."""
    body = turn.body
    stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    return Prompt(
        messages=tuple(Message(role=item.role, content=item.text) for item in turn.items),
        model=turn.model or body.model or AUTOMATIC_MODEL,
        max_output_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=stop,
        tenant=turn.record.tenant_id,
        user=turn.record.user_id or "",
        extra=_extra(turn),
    )


def _extra(turn: Turn) -> dict[str, object]:
    body = turn.body
    wanted: dict[str, object | None] = {
        "seed": body.seed,
        "presence_penalty": body.presence_penalty,
        "frequency_penalty": body.frequency_penalty,
        "response_format": _response_format(body.text),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _response_format(text: dict[str, Any] | None) -> dict[str, object] | None:
    """The chat spelling of the Responses API's `text.format`; None for plain text."""
    form = (text or {}).get("format")
    if not isinstance(form, dict) or form.get("type") in {None, "text"}:
        return None
    if form["type"] != "json_schema":
        return {"type": form["type"]}
    schema = {key: value for key, value in form.items() if key != "type"}
    return {"type": "json_schema", "json_schema": schema}
