"""The scripted provider's HTTP server: its wire formats, and the script's own routes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from deploy.scripted_provider.answering import reply_to
from deploy.scripted_provider.anthropic_demands import anthropic_fault, breakpoints_in
from deploy.scripted_provider.anthropic_format import AnthropicFormat
from deploy.scripted_provider.call import CallLog, Ending, ScriptedCall, Wire
from deploy.scripted_provider.embeddings import EmbeddingFormat, as_messages, embeddings_fault
from deploy.scripted_provider.openai_demands import openai_fault
from deploy.scripted_provider.openai_format import OpenAIFormat
from deploy.scripted_provider.performance import CutByScript, Performance
from deploy.scripted_provider.request import (
    images_of,
    instructions_of,
    last_user_text,
    outputs_of,
    tools_of,
)
from deploy.scripted_provider.sampled_call import sampled_call
from deploy.scripted_provider.script import Script, ScriptRule

MODEL = "scripted"

_AZURE = "/openai/deployments/{deployment}"
_KEY_HEADERS = frozenset({"authorization", "x-api-key", "api-key"})
_BODY_LIMIT_BYTES = 64 * 1_048_576
_FORMATS: dict[Wire, type[OpenAIFormat] | type[AnthropicFormat]] = {
    Wire.OPENAI: OpenAIFormat,
    Wire.ANTHROPIC: AnthropicFormat,
    Wire.EMBEDDINGS: EmbeddingFormat,
}
_DEMANDS: dict[Wire, Callable[[dict[str, Any]], str | None]] = {
    Wire.OPENAI: openai_fault,
    Wire.ANTHROPIC: anthropic_fault,
    Wire.EMBEDDINGS: embeddings_fault,
}
_rules_decoder = msgspec.json.Decoder(list[ScriptRule] | ScriptRule)


class ScriptedServer:
    """Answers calls by the script and logs them."""

    def __init__(self) -> None:
        self.script = Script()
        self.calls = CallLog()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_BODY_LIMIT_BYTES)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._chat_completions),
                web.post(f"{_AZURE}/chat/completions", self._chat_completions),
                web.post("/v1/messages", self._messages),
                web.post("/v1/embeddings", self._embeddings),
                web.get("/v1/models", self._models),
                web.get("/livez", self._alive),
                web.post("/script", self._add_rules),
                web.get("/script", self._show_rules),
                web.delete("/script", self._clear_rules),
                web.get("/calls", self._show_calls),
                web.delete("/calls", self._clear_calls),
            ]
        )
        return app

    async def _chat_completions(self, request: web.Request) -> web.StreamResponse:
        return await self._treat(request, Wire.OPENAI)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._treat(request, Wire.ANTHROPIC)

    async def _embeddings(self, request: web.Request) -> web.StreamResponse:
        return await self._treat(request, Wire.EMBEDDINGS)

    async def _treat(self, request: web.Request, wire: Wire) -> web.StreamResponse:
        body = _decoded(await request.read(), wire)
        if isinstance(body, str):
            error = _FORMATS[wire].error(400, kind="invalid_request_error", message=body, code=None)
            return web.Response(status=400, body=error, content_type="application/json")
        call = _call(request, body, wire)
        if fault := _fault(body, wire):
            return self._refuse(call, fault)
        behaviour = self.script.behaviour_for(call, body)
        call.behaviour = behaviour.kind
        self.calls.begin(call)
        performance = Performance(
            request,
            call,
            behaviour,
            wire_format=_FORMATS[wire](
                msgspec.structs.replace(call, model=behaviour.echoed_model or call.model),
                body,
                number=self.calls.count,
            ),
            reply=reply_to(call, body, behaviour, number=self.calls.count),
        )
        ending = Ending.CUT_BY_CLIENT
        try:
            response = await performance.run()
            ending = Ending.SERVED
        except CutByScript:
            ending = Ending.CUT_BY_SCRIPT
            raise asyncio.CancelledError from None
        finally:
            self.calls.end(call, ending)
        return response

    def _refuse(self, call: ScriptedCall, fault: str) -> web.Response:
        """As the API would, whatever the script says; it is among the calls as `refused`."""
        call.behaviour = "refused"
        self.calls.begin(call)
        self.calls.end(call, Ending.SERVED)
        error = _FORMATS[call.wire].error(
            400, kind="invalid_request_error", message=fault, code=None
        )
        return web.Response(status=400, body=error, content_type="application/json")

    async def _models(self, request: web.Request) -> web.Response:  # noqa: ARG002
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "scripted"}
        return _json({"object": "list", "data": [model]})

    async def _alive(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return _json({"status": "ok"})

    async def _add_rules(self, request: web.Request) -> web.Response:
        try:
            rules = _rules_decoder.decode(await request.read())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _json({"error": str(error)}, status=400)
        self.script.add(rules if isinstance(rules, list) else [rules])
        return _json({"rules": len(self.script.rules)})

    async def _show_rules(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return _json({"rules": self.script.rules})

    async def _clear_rules(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self.script.clear()
        return _json({"rules": 0})

    async def _show_calls(self, request: web.Request) -> web.Response:
        latest = request.query.get("latest", "1000")
        return _json(self.calls.summary(latest=int(latest) if latest.isdecimal() else 1000))

    async def _clear_calls(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self.calls.clear()
        return _json({"count": 0})


def _decoded(content: bytes, wire: Wire) -> dict[str, Any] | str:
    """The request's body, or what is wrong with it."""
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "the body is not JSON"
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        return "model: a string is required"
    if wire is Wire.EMBEDDINGS:
        body = as_messages(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(item, dict) for item in messages):
        field = "input" if wire is Wire.EMBEDDINGS else "messages"
        return f"{field}: a list of objects or texts is required"
    decoded: dict[str, Any] = body
    return decoded


def _fault(body: dict[str, Any], wire: Wire) -> str | None:
    """What the API would refuse in it, were it the real one."""
    try:
        return _DEMANDS[wire](body)
    except (AttributeError, KeyError, TypeError, IndexError):
        return "the body has a field of a type that it must not have"


def _call(request: web.Request, body: dict[str, Any], wire: Wire) -> ScriptedCall:
    headers = request.headers
    kept = {"traceparent": headers["traceparent"]} if "traceparent" in headers else {}
    if not _KEY_HEADERS.isdisjoint(map(str.lower, headers)):
        kept["key"] = "given"
    return ScriptedCall(
        wire=wire,
        model=body["model"],
        content=last_user_text(body),
        stream=body.get("stream") is True,
        at=time.time(),
        headers=kept,
        instructions=instructions_of(body),
        tools=tools_of(body),
        called=sampled_call(body),
        outputs=outputs_of(body),
        images=images_of(body),
        breakpoints=breakpoints_in(body),
        top_k=body.get("top_k"),
    )


def _json(content: object, *, status: int = 200) -> web.Response:
    body = msgspec.json.encode(content)
    return web.Response(status=status, body=body, content_type="application/json")
