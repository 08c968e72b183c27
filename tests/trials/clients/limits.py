"""What no client can do here: docs/clients.md tells it, and a trial holds that it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

_RESPONSES: Final = "/v1/responses"
_CHAT: Final = "/v1/chat/completions"
_SAID: Final = {"role": "user", "content": "Hello"}


@dataclass(frozen=True, slots=True)
class Limit:
    """`what` stands in the table of the docs; the door's words name `part`."""

    what: str
    path: str
    body: dict[str, Any]
    part: str
    status: int = 400


def _tool(kind: str, what: str) -> Limit:
    body = {"input": "Hello", "tools": [{"type": kind, "name": "a"}]}
    return Limit(what, _RESPONSES, body, kind)


def _chat(what: str, part: str, *, content: Any = "Hello", **fields: object) -> Limit:
    return Limit(what, _CHAT, {"messages": [{**_SAID, "content": content}], **fields}, part)


def _missing(path: str) -> Limit:
    return Limit(f"`{path}`", path, {"input": "Hello"}, path, status=404)


_HOSTED: Final = (
    *("web_search", "code_interpreter", "image_generation", "computer_use_preview"),
    *("mcp", "shell", "apply_patch"),
)
_AUDIO: Final = [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]

LIMITS: Final = (
    *(_tool(kind, f"`{kind}`") for kind in _HOSTED),
    _chat("`file_search`", "file_search", tools=[{"type": "file_search"}]),
    _tool("custom", "`custom` tools"),
    _chat("`functions`", "functions", functions=[{"name": "a"}]),
    _chat("audio", "input_audio", content=_AUDIO),
    _chat("audio", "modalities", modalities=["text", "audio"]),
    _chat("`n`", "'n'", n=2),
    _chat("`logit_bias`", "logit_bias", logit_bias={"1": 1}),
    _chat("`prediction`", "prediction", prediction={"type": "content", "content": "a"}),
    _chat("`web_search_options`", "web_search_options", web_search_options={}),
    Limit("`prompt`", _RESPONSES, {"input": "Hello", "prompt": {"id": "a"}}, "'prompt'"),
    *map(
        _missing,
        (
            *("/v1/completions", "/v1/audio/speech", "/v1/images/generations"),
            *("/v1/moderations", "/v1/assistants", "/v1/fine_tuning/jobs"),
        ),
    ),
)
