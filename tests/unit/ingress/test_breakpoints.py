"""Up to where a prompt may be kept, as Anthropic's clients say it."""

from __future__ import annotations

from shared.messages.item import FunctionCall, FunctionCallOutput, MessageItem, Role
from shared.messages.part import CacheBreakpoint, InputTextPart
from shared.messages.tool import FunctionTool
from tests.unit.shared.surfaces.messages_bodies import HI, TOOL, body_of, refusal, text

KEPT = CacheBreakpoint("ephemeral")
FOR_AN_HOUR = CacheBreakpoint("ephemeral", "1h")


def test_a_breakpoint_stays_at_its_place() -> None:
    kept, long = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}
    call = {"type": "tool_use", "id": "c1", "name": "add", "input": {}, "cache_control": long}
    result = {
        "type": "tool_result",
        "tool_use_id": "c1",
        "content": [text("3", cache_control={**kept, "ttl": "5m"})],
    }
    body = body_of(
        tools=[{**TOOL, "cache_control": long}],
        messages=[
            HI,
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result, text("And now?")]},
        ],
        cache_control=kept,
    )
    assert body.tools == [
        FunctionTool("add", "Adds.", {"type": "object"}, cache_control=FOR_AN_HOUR)
    ]
    assert body.input[1:] == [
        FunctionCall("c1", "add", "{}", cache_control=FOR_AN_HOUR),
        FunctionCallOutput("c1", "3", cache_control=KEPT),
        MessageItem(Role.USER, [InputTextPart("And now?", KEPT)]),
    ]


def test_a_fifth_breakpoint_is_refused_by_its_place() -> None:
    kept = {"cache_control": {"type": "ephemeral"}}
    said = [text(str(nth), **kept) for nth in range(4)]
    assert body_of(messages=[{"role": "user", "content": said}])
    for more in ({"tools": [{**TOOL, **kept}]}, {"system": [text("Hm.", **kept)]}):
        error = refusal(messages=[{"role": "user", "content": said}], **more)
        assert error.param == "messages[0].content[0].cache_control"
        assert "more than 4" in error.message
    assert refusal(messages=[{"role": "user", "content": [*said, text("5")]}], **kept)


def test_an_hour_behind_five_minutes_is_refused() -> None:
    long, short = {"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral"}
    said = [text("a", cache_control=long), text("b", cache_control=short)]
    assert body_of(messages=[{"role": "user", "content": said}])
    error = refusal(messages=[{"role": "user", "content": said[::-1]}])
    assert "for an hour behind one of five minutes" in error.message
