"""A line of a batch's input: one request, and what is wrong with it before its body is read."""

from __future__ import annotations

from typing import Annotated, Final, assert_never

import msgspec

from shared.accepting.ledger_entry import DEFAULT_OUTPUT_TOKENS
from shared.batches.batch import LONGEST_CUSTOM_ID, LONGEST_LINE_BYTES, Batch, BatchFault
from shared.batches.state import BatchEndpoint, BatchSurface
from shared.decoding import decode_json
from shared.errors import InvalidRequest
from shared.storable_text import is_storable
from shared.token_count import tokens_of_size
from workers.batching.input_lines import InputLine

_CustomId = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CUSTOM_ID)]
_METHOD: Final = "POST"
_JSON_FAULT: Final = "invalid_json"


class BatchRequest(msgspec.Struct, frozen=True):
    """One request, its body as it came."""

    custom_id: str
    body: bytes
    model: str | None
    output_tokens: int
    """What it may write, as far as that is known before anybody answers it."""

    @property
    def input_tokens(self) -> int:
        """What a model would read, estimated by its size."""
        return tokens_of_size(len(self.body))


class LineFaulty(Exception):
    """A line that no request can be made of: its batch does not begin."""

    def __init__(self, fault: BatchFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _OpenAILine(msgspec.Struct, frozen=True):
    custom_id: _CustomId
    method: str
    url: str
    body: msgspec.Raw


class _AnthropicLine(msgspec.Struct, frozen=True):
    custom_id: _CustomId
    params: msgspec.Raw


class _Asked(msgspec.Struct, frozen=True):
    """What of a body is looked at before it is read."""

    model: str | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_output_tokens: int | None = None


_openai: Final = msgspec.json.Decoder(_OpenAILine)
_anthropic: Final = msgspec.json.Decoder(_AnthropicLine)
_asked: Final = msgspec.json.Decoder(_Asked)


def read_batch_request(line: InputLine, of: Batch) -> BatchRequest:
    """The request of a line; raises LineFaulty."""
    if line.text is None:
        told = (
            f"The line is longer than {LONGEST_LINE_BYTES} bytes, the most that a line may have. "
            "Shorten its request, or upload its images and files and name them by their ids."
        )
        raise _faulty(line, "line_too_long", told)
    if not line.text.isascii():
        _check_utf8(line, line.text)
    custom_id, body = _parts(line, line.text, of)
    if not is_storable(custom_id):
        told = "'custom_id' holds a NUL character or half of a pair. Remove it."
        raise _faulty(line, "invalid_custom_id", told, "custom_id")
    return _request(custom_id, body, of.endpoint)


def _check_utf8(line: InputLine, text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        told = f"The line is not UTF-8 at its byte {error.start + 1}. Write it as UTF-8."
        raise _faulty(line, "invalid_json_line", told) from None


def _parts(line: InputLine, text: bytes, of: Batch) -> tuple[str, bytes]:
    try:
        match of.surface:
            case BatchSurface.OPENAI:
                read = decode_json(_openai, text)
                _check_road(line, read, of)
                custom_id, body, place = read.custom_id, bytes(read.body), "body"
            case BatchSurface.ANTHROPIC:
                told = decode_json(_anthropic, text)
                custom_id, body, place = told.custom_id, bytes(told.params), "params"
            case _:
                assert_never(of.surface)
    except InvalidRequest as error:
        is_json = error.kind != _JSON_FAULT
        code = error.kind if is_json else "invalid_json_line"
        message = str(error) if is_json else "The line is not valid JSON. Write one object on it."
        raise _faulty(line, code, message, error.param) from None
    if not body.lstrip().startswith(b"{"):
        raise _faulty(line, "invalid_type", f"'{place}' must be an object.", place)
    return custom_id, body


def _check_road(line: InputLine, read: _OpenAILine, of: Batch) -> None:
    if read.method != _METHOD:
        told = f"'method' is '{read.method[:16]}'. Use {_METHOD}."
        raise _faulty(line, "invalid_method", told, "method")
    if read.url != of.endpoint:
        told = f"'url' is '{read.url[:64]}', and the batch is for {of.endpoint}. Use that."
        raise _faulty(line, "invalid_url", told, "url")


def _request(custom_id: str, body: bytes, endpoint: BatchEndpoint) -> BatchRequest:
    try:
        asked = _asked.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        asked = _Asked()  # whoever reads the body says what is wrong with it
    limit = asked.max_output_tokens or asked.max_completion_tokens or asked.max_tokens
    output = DEFAULT_OUTPUT_TOKENS if limit is None else min(max(limit, 1), DEFAULT_OUTPUT_TOKENS)
    if endpoint is BatchEndpoint.EMBEDDINGS:
        output = 0
    return BatchRequest(custom_id, body, asked.model, output)


def _faulty(line: InputLine, code: str, message: str, param: str | None = None) -> LineFaulty:
    return LineFaulty(BatchFault(code, message, line.number, param))
