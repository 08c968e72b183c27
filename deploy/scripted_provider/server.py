"""The scripted provider's HTTP server: its wire formats, and the script's own routes."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from deploy.scripted_provider.answering import reply_to
from deploy.scripted_provider.batches.anthropic_batches import AnthropicBatches
from deploy.scripted_provider.batches.batch_script import BatchRule
from deploy.scripted_provider.batches.openai_batches import OpenAIBatches
from deploy.scripted_provider.batches.openai_files import LARGEST_BYTES, OpenAIFiles
from deploy.scripted_provider.batches.shelf import BatchShelf
from deploy.scripted_provider.call import CallLog, Ending, ScriptedCall, Wire
from deploy.scripted_provider.performance import CutByScript, Performance
from deploy.scripted_provider.script import Script, ScriptRule
from deploy.scripted_provider.wires import FORMATS, call_of, decoded, fault_in

MODEL = "scripted"

_AZURE = "/openai/deployments/{deployment}"
_BODY_LIMIT_BYTES = LARGEST_BYTES + 64 * 1_048_576
_rules_decoder = msgspec.json.Decoder(list[ScriptRule] | ScriptRule)
_batch_rules_decoder = msgspec.json.Decoder(list[BatchRule] | BatchRule)


class ScriptedServer:
    """Answers calls by the script and logs them."""

    def __init__(self) -> None:
        self.script = Script()
        self.calls = CallLog()
        self.batches = BatchShelf(self.script, self.calls)
        self._files = OpenAIFiles()

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
                web.post("/script/batches", self._add_batch_rules),
                web.post("/batches/end", self._end_batches),
                web.get("/calls", self._show_calls),
                web.delete("/calls", self._clear_calls),
                *self._files.routes(),
                *OpenAIBatches(self.batches, self._files).routes(),
                *AnthropicBatches(self.batches).routes(),
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
        body = decoded(await request.read(), wire)
        if isinstance(body, str):
            error = FORMATS[wire].error(400, kind="invalid_request_error", message=body, code=None)
            return web.Response(status=400, body=error, content_type="application/json")
        call = call_of(body, wire, request.headers)
        if fault := fault_in(body, wire):
            return self._refuse(call, fault)
        behaviour = self.script.behaviour_for(call, body)
        call.behaviour = behaviour.kind
        self.calls.begin(call)
        performance = Performance(
            request,
            call,
            behaviour,
            wire_format=FORMATS[wire](
                msgspec.structs.replace(
                    call,
                    model=behaviour.echoed_model or call.model,
                    service_tier=behaviour.served_tier or call.service_tier,
                ),
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
        error = FORMATS[call.wire].error(
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

    async def _add_batch_rules(self, request: web.Request) -> web.Response:
        try:
            rules = _batch_rules_decoder.decode(await request.read())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _json({"error": str(error)}, status=400)
        self.batches.script.add(rules if isinstance(rules, list) else [rules])
        return _json({"rules": len(self.batches.script)})

    async def _end_batches(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self.batches.end_all()
        return _json({"status": "ok"})

    async def _clear_rules(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self.script.clear()
        self.batches.script.clear()
        return _json({"rules": 0})

    async def _show_calls(self, request: web.Request) -> web.Response:
        latest = request.query.get("latest", "1000")
        return _json(self.calls.summary(latest=int(latest) if latest.isdecimal() else 1000))

    async def _clear_calls(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self.calls.clear()
        return _json({"count": 0})


def _json(content: object, *, status: int = 200) -> web.Response:
    body = msgspec.json.encode(content)
    return web.Response(status=status, body=body, content_type="application/json")
