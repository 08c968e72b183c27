"""A server that answers every call with the bytes that a test gives it."""

from __future__ import annotations

from aiohttp import web


class RawServer:
    """Answers in the same way whichever wire format asks, and keeps the request's body."""

    def __init__(self) -> None:
        self.response: dict[str, object] = {}
        self.asked: dict[str, object] = {}
        self.headers: dict[str, str] = {}
        self.calls = 0
        self.url = ""

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._handle)
        app.router.add_post("/v1/messages", self._handle)
        return app

    def sends(self, body: bytes, *, content_type: str = "application/json") -> None:
        self.response = {"body": body, "content_type": content_type}

    def streams(self, *data: str, head: str = "") -> None:
        body = head + "".join(f"data: {each}\n\n" for each in data)
        self.sends(body.encode(), content_type="text/event-stream")

    async def _handle(self, request: web.Request) -> web.Response:
        self.calls += 1
        self.headers = dict(request.headers)
        self.asked = await request.json()
        return web.Response(**self.response)  # type: ignore[arg-type]
