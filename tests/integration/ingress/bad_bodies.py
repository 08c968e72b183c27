"""Bodies that are refused: what is wrong with each, the code and the field that is named."""

from __future__ import annotations

NESTED = (
    b'{"input":"x","text":{"format":{"type":"json_schema","name":"n","schema":'
    + b'{"not":' * 60
    + b"{}"
    + b"}" * 63
)

BODIES = {
    "empty": (b"", "invalid_json", None),
    "not JSON": (b"{", "invalid_json", None),
    "invalid UTF-8": (b'{"input":"\xff\xfe"}', "invalid_json", None),
    "lone surrogate": (rb'{"input":"\ud800"}', "invalid_json", None),
    "NaN": (b'{"input":"x","temperature":NaN}', "invalid_json", None),
    "deeper than any stack": (
        b'{"input":"x","text":{"format":{"schema":{"a":' + b"[" * 200_000,
        "invalid_json",
        None,
    ),
    "an array": (b"[]", "invalid_type", None),
    "no input": (b"{}", "missing_required_parameter", "input"),
    "empty input": (b'{"input":""}', "invalid_type", "input"),
    "unknown field": (b'{"input":"x","foo":1}', "unknown_parameter", "foo"),
    "half a tool": (
        b'{"input":"x","tools":[{}]}',
        "missing_required_parameter",
        "tools[0].name",
    ),
    "hosted tool": (
        b'{"input":"x","tools":[{"type":"web_search"}]}',
        "unsupported_parameter",
        "tools[0]",
    ),
    "half a choice": (
        b'{"input":"x","tool_choice":{"type":"function"}}',
        "missing_required_parameter",
        "tool_choice.name",
    ),
    "a choice among none": (
        b'{"input":"x","tool_choice":"required"}',
        "invalid_value",
        "tool_choice",
    ),
    "effort": (
        b'{"input":"x","reasoning":{"effort":"huge"}}',
        "invalid_type",
        "reasoning.effort",
    ),
    "verbosity": (b'{"input":"x","text":{"verbosity":"wordy"}}', "invalid_type", "text.verbosity"),
    "text option": (b'{"input":"x","text":{"loud":true}}', "unknown_parameter", "text.loud"),
    "what a tool said": (
        b'{"input":[{"call_id":"a","output":"x","type":"function_call_output"}]}',
        "invalid_value",
        "input[0]",
    ),
    "huge number": (b'{"input":"x","max_output_tokens":1e400}', "invalid_type", None),
    "too many tokens": (
        b'{"input":"x","max_output_tokens":' + b"9" * 30 + b"}",
        "invalid_value",
        "max_output_tokens",
    ),
    "temperature": (b'{"input":"x","temperature":3}', "invalid_type", "temperature"),
    "tier": (b'{"input":"x","service_tier":"gold"}', "invalid_value", "service_tier"),
    "nested text": (NESTED, "invalid_value", "text.format.schema"),
    "schema of no type": (
        b'{"input":"x","text":{"format":{"type":"json_schema","schema":{"type":"strin"}}}}',
        "invalid_value",
        "text.format.schema",
    ),
    "schema that refers to nothing": (
        b'{"input":"x","text":{"format":{"type":"json_schema","schema":{"$ref":"#/a"}}}}',
        "invalid_value",
        "text.format.schema",
    ),
    "schema with half a pattern": (
        b'{"input":"x","text":{"format":{"type":"json_schema","schema":{"pattern":"("}}}}',
        "invalid_value",
        "text.format.schema",
    ),
    "NUL in user": (rb'{"input":"x","user":"a\u0000"}', "invalid_value", "user"),
    "NUL in conversation": (
        rb'{"input":"x","conversation":"a\u0000"}',
        "invalid_value",
        "conversation",
    ),
    "a number in metadata": (b'{"input":"x","metadata":{"a":1}}', "invalid_type", "metadata"),
    "NUL in metadata": (rb'{"input":"x","metadata":{"a":"\u0000"}}', "invalid_value", "metadata"),
    "unknown previous": (
        b'{"input":"x","previous_response_id":"resp_0"}',
        "previous_response_not_found",
        "previous_response_id",
    ),
    "role": (b'{"input":[{"role":"robot","content":"x"}]}', "invalid_type", "input[0].role"),
    "image": (
        b'{"input":[{"role":"user","content":[{"type":"input_image","image_url":"x"}]}]}',
        "invalid_value",
        "input[0].content[0]",
    ),
}

CHATS = {
    "no messages": (b"{}", "messages"),
    "two answers": (b'{"messages":[{"role":"user","content":"x"}],"n":2}', "n"),
    "logprobs": (
        b'{"messages":[{"role":"user","content":"x"}],"top_logprobs":2}',
        "top_logprobs",
    ),
    "functions": (b'{"messages":[{"role":"user","content":"x"}],"functions":[]}', "functions"),
    "audio": (b'{"messages":[{"role":"user","content":"x"}],"audio":{}}', "audio"),
    "tool message": (b'{"messages":[{"role":"tool","content":"x"}]}', "messages[0].tool_call_id"),
    "tool call": (
        b'{"messages":[{"role":"assistant","tool_calls":[{}]}]}',
        "messages[0].tool_calls[0].id",
    ),
    "image": (
        b'{"messages":[{"role":"user","content":[{"image_url":{},"type":"image_url"}]}]}',
        "messages[0].content[0].image_url.url",
    ),
    "bad schema": (
        b'{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema",'
        b'"json_schema":{"name":"n","schema":{"type":"strin"}}}}',
        "response_format.json_schema.schema",
    ),
    "schema without schema": (
        b'{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema"}}',
        "response_format.json_schema",
    ),
    "both limits": (
        b'{"messages":[{"role":"user","content":"x"}],"max_tokens":1,"max_completion_tokens":2}',
        "max_tokens",
    ),
}
