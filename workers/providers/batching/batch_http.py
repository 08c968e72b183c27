"""The batch side of an API over HTTP: its addresses, its objects, its lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from msgspec.structs import replace as altered

from shared.costs.price import ServedTier
from shared.settings.providers import ProviderSettings
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError, TransientProviderError
from workers.providers.outcome import Answer, Declined
from workers.providers.provider import Prompt
from workers.providers.wire.exchange import AnswerBody, ProviderExchange
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.http_model import HttpApi, HttpModel
from workers.providers.wire.incoming_answer import IncomingAnswer
from workers.providers.wire.loose_json import UnreadableError, decoded, mapping
from workers.providers.wire.refusals.refusal import ProviderRefusal, failure_for
from workers.providers.wire.timeouts import Timeouts

_OF_A_STREAM: Final = frozenset({"stream", "stream_options"})
_LONGEST_LINE_BYTES: Final = 16 * 1_048_576
_TIMEOUTS: Final = Timeouts(first_token_seconds=300.0, idle_seconds=60.0, total_seconds=1_800.0)
"""A whole batch is sent before anything is answered."""


class BatchedModel(HttpModel):
    """A model whose requests are sent and whose answers come otherwise than by a call."""

    def whole_request(self, prompt: Prompt) -> dict[str, object] | Declined:
        """What asks for an answer in one piece, for whoever sends it otherwise."""
        content = self._wire.request_body(prompt, self._models.model_for(prompt.model))
        if isinstance(content, Declined):
            return content
        return {name: value for name, value in content.items() if name not in _OF_A_STREAM}

    def read_whole(self, prompt: Prompt, body: object) -> Answer:
        """The answer in a body that came otherwise; raises ProviderError."""
        model = self._models.model_for(prompt.model)
        maker = self._wire.maker(model)
        incoming = IncomingAnswer(prompt, provider=self.name, asked_model=model, maker=maker)
        try:
            incoming.take(self._reading(body))
            incoming.end(is_whole_body=True)
        except ProviderError as error:
            incoming.note_on(error)
            raise
        return incoming.answer(dropped=self._wire.dropped(prompt, model))


class BatchHttp:
    """Asks one provider for objects and for lines; redirects are never followed, and no address
    is asked that the provider names: all are made from the settings' own."""

    def __init__(
        self, api: HttpApi, settings: ProviderSettings, connections: ProviderConnections
    ) -> None:
        self.name = settings.name
        self._api = api
        self._settings = settings
        self._connections = connections
        timeouts = Timeouts.of(settings)
        self._model = BatchedModel(api, settings, connections, timeouts=timeouts)
        self._exchange = ProviderExchange(connections, provider=self.name, timeouts=_TIMEOUTS)
        self.model_for = self._model.model_for

    def body_of(self, prompt: Prompt) -> dict[str, object] | Declined:
        """What a call of its own would send for an answer in one piece."""
        return self._model.whole_request(prompt)

    def read(self, prompt: Prompt, body: Mapping[str, object]) -> Answer:
        """The answer in that body, booked as one of a batch. Raises ProviderError."""
        try:
            answer = self._model.read_whole(prompt, body)
        except ProviderError as error:
            if error.usage is not None:
                error.usage = altered(error.usage, tier=ServedTier.BATCH)
            raise
        return altered(answer, usage=altered(answer.usage, tier=ServedTier.BATCH))

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, object]:
        """The object that is answered; raises ProviderError."""
        sent = await self._send(method, path, body, headers or {})
        try:
            content = await sent.whole()
            sent.leave(is_read=True)
        finally:
            sent.leave()
        try:
            return mapping(decoded(content))
        except UnreadableError as error:
            raise self.malformed(error.message) from error

    async def lines(self, path: str) -> AsyncIterator[Mapping[str, object]]:
        """The objects of a file of JSON lines, one held at a time; a line that is none is left out.

        Raises ProviderError where its last line is cut.
        """
        sent = await self._send("GET", path, b"", {})
        rest = bytearray()
        try:
            while chunk := await sent.next_bytes():
                sent.clock.hear_token()
                rest += chunk
                if b"\n" not in chunk:
                    if len(rest) > _LONGEST_LINE_BYTES:
                        raise self.malformed(f"a line over {_LONGEST_LINE_BYTES} bytes")
                    continue
                *whole, last = bytes(rest).split(b"\n")
                rest = bytearray(last)
                for line in whole:
                    if fields := _object(line):
                        yield fields
            sent.leave(is_read=True)
        finally:
            sent.leave()
        if rest.strip():
            fields = _object(bytes(rest))
            if not fields:
                raise self.malformed("results that end in the middle of a line")
            yield fields

    def failure(self, content: object, *, status: int | None = None) -> ProviderError:
        """The failure that an error object of an item stands for."""
        return failure_for(ProviderRefusal.from_content(content), provider=self.name, status=status)

    def malformed(self, what: str) -> TransientProviderError:
        """Its answer cannot be used."""
        return TransientProviderError(
            f"{self.name} sent {what}", error_class=ErrorClass.MALFORMED_ANSWER
        )

    async def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> AnswerBody:
        # By itself, not through `{model}`: no part of a path is the settings' here.
        url = replace(self._api, path=path).url(self._settings, "")
        told = {**self._api.headers_of(self._settings), **headers}
        target = self._connections.target(url, told, method=method)
        seconds = _TIMEOUTS.total_seconds
        return await self._exchange.send(target, body, time_left_seconds=seconds)


def as_path(identifier: str) -> str:
    """An id that a provider gave, as one part of a path."""
    return quote(identifier, safe="")


def _object(line: bytes) -> Mapping[str, object]:
    try:
        return mapping(decoded(line)) if line.strip() else {}
    except UnreadableError:
        return {}
