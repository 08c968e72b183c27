"""From a turn to what a provider is told."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shared.messages.body import TextOptions
from shared.messages.item import Item
from workers.context.attached_files import with_files
from workers.providers.provider import AUTOMATIC_MODEL, Prompt
from workers.turn import Turn


def prompt_of(turn: Turn) -> Prompt:
    """The prompt of a turn whose conversation has been recalled."""
    body = turn.body
    return Prompt(
        items=told_items(turn, turn.items),
        notes=(turn.fact_sheet,) if turn.fact_sheet is not None else (),
        model=turn.model or body.model or AUTOMATIC_MODEL,
        max_output_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=tuple(body.stop or ()),
        tools=tuple(body.tools or ()),
        tool_choice=body.tool_choice,
        parallel_tool_calls=body.parallel_tool_calls,
        reasoning=body.reasoning,
        prompt_cache_key=body.prompt_cache_key,
        top_logprobs=body.top_logprobs,
        tenant=turn.record.tenant_id,
        user=turn.record.user_id or "",
        extra=_extra(turn),
    )


def told_items(turn: Turn, items: Sequence[Item]) -> tuple[Item, ...]:
    """The items, with what was read of the files that they name."""
    return tuple(with_files(items, turn.files) if turn.files else items)


def _extra(turn: Turn) -> dict[str, object]:
    body = turn.body
    wanted: dict[str, object | None] = {
        "seed": body.seed,
        "presence_penalty": body.presence_penalty,
        "frequency_penalty": body.frequency_penalty,
        "response_format": _response_format(body.text),
        "verbosity": body.text.verbosity if body.text else None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _response_format(text: TextOptions | None) -> dict[str, object] | None:
    """The chat spelling of the Responses API's `text.format`; None for plain text."""
    form = text.format if text else None
    if form is None:
        return None
    if form.type != "json_schema":
        return {"type": form.type}
    told = msgspec.to_builtins(form)
    return {"type": told.pop("type"), "json_schema": told}
