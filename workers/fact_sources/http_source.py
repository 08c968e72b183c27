"""Facts behind an HTTP server."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from yarl import URL

from shared.messages.facts import Facts
from shared.settings.turn.fact_field import FactField
from shared.settings.turn.fact_source import PLACEHOLDER, FactSourceSettings
from workers.fact_sources.fact_reading import facts_from
from workers.fact_sources.json_pointer import value_at
from workers.fact_sources.source import FactsUnavailable, Parameters

_NOTHING_KNOWN: Final = frozenset({204, 404})
_json: Final = msgspec.json.Decoder(float_hook=Decimal)


def open_fact_session() -> aiohttp.ClientSession:
    """The session that all sources of a process share; the caller closes it.

    Nothing is unpacked, so that a small answer cannot become a large one.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=15),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        auto_decompress=False,
    )


class HttpSource:
    """Calls the URL of the settings, and never another: parameters are escaped, and a redirect
    is a failure. 204 and 404 mean that nothing is known."""

    def __init__(self, settings: FactSourceSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._body = msgspec.json.decode(settings.body) if settings.body is not None else None
        key = settings.api_key
        self._headers = {"Authorization": f"Bearer {key.reveal()}"} if key else {}

    async def look_up(self, parameters: Parameters) -> Facts:
        """The facts in the JSON that the server answers with."""
        url = _filled_url(self._settings.url or "", parameters)
        body = None if self._body is None else _filled(self._body, parameters)
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                answer = await self._call(url, body)
        except TimeoutError:
            seconds = self._settings.timeout_seconds
            raise FactsUnavailable(f"did not answer within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise FactsUnavailable(f"cannot be reached: {type(error).__name__}") from error
        return {} if answer is None else self._facts(answer)

    async def probe(self) -> str:
        """Connects and hangs up: a call would need a message."""
        parts = urlsplit(self._settings.url or "")
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                port = parts.port or (443 if parts.scheme == "https" else 80)
                _, writer = await asyncio.open_connection(parts.hostname, port)
                writer.close()
        except (OSError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            raise FactsUnavailable(f"cannot be reached ({reason})") from error
        return "its server can be reached"

    async def close(self) -> None:
        """The session is not its own."""

    async def _call(self, url: URL, body: object) -> bytes | None:
        async with self._session.request(
            self._settings.method,
            url,
            headers=self._headers,
            json=body,
            allow_redirects=False,
        ) as response:
            if response.status in _NOTHING_KNOWN:
                return None
            if response.status != 200:
                raise FactsUnavailable(f"answered with status {response.status}")
            return await self._whole(response.content)

    async def _whole(self, content: aiohttp.StreamReader) -> bytes:
        most, read = self._settings.max_body_bytes, bytearray()
        while piece := await content.read(most + 1 - len(read)):
            read += piece
            if len(read) > most:
                raise FactsUnavailable(f"answered with more than {most} bytes")
        return bytes(read)

    def _facts(self, answer: bytes) -> Facts:
        try:
            document = _json.decode(answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise FactsUnavailable("answered with what is no JSON") from None
        fields = self._settings.facts
        if not isinstance(document, dict) and not fields:
            raise FactsUnavailable("answered with JSON that is no object: name facts by pointer")
        values = document if isinstance(document, dict) else {}
        pointed = {
            name: value_at(document, _pointer(name, field)) for name, field in fields.items()
        }
        return facts_from({**values, **pointed}, fields)


def _pointer(name: str, field: FactField) -> str:
    return field.pointer if field.pointer is not None else f"/{name}"


def _filled_url(template: str, parameters: Parameters) -> URL:
    text = PLACEHOLDER.sub(
        lambda found: quote(parameters[found[1]], safe="", errors="replace"), template
    )
    url = URL(text, encoded=True)
    if {".", ".."} & set(url.raw_path.split("/")):
        raise FactsUnavailable("would be called under another path by what the message gives")
    return url


def _filled(template: object, parameters: Parameters) -> object:
    """The template with the placeholders inside its texts replaced, whatever they hold."""
    match template:
        case str():
            return PLACEHOLDER.sub(lambda found: parameters[found[1]], template)
        case list():
            return [_filled(each, parameters) for each in template]
        case dict():
            return {key: _filled(value, parameters) for key, value in template.items()}
        case _:
            return template
