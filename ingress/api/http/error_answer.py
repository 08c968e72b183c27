"""An error as it is written: Anthropic's or OpenAI's object on their paths, else problem+json."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec

Header = tuple[bytes, bytes]

PROBLEM: Final = b"application/problem+json"
JSON: Final = b"application/json"
_OPENAI: Final = "/v1/"
_ANTHROPIC: Final = "/v1/messages"
_ANTHROPICS_TYPES: Final = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class ErrorDetail(msgspec.Struct, frozen=True):
    """What went wrong; `param` names the field where there is one."""

    message: str
    type: str
    code: str | None = None
    param: str | None = None


class ErrorBody(msgspec.Struct, frozen=True):
    """OpenAI's error object."""

    error: ErrorDetail


class AnthropicErrorDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What programs look at: our code, and the field where there is one."""

    error_code: str | None = None
    param: str | None = None


class AnthropicErrorDetail(msgspec.Struct, frozen=True):
    """What went wrong."""

    type: str
    message: str
    details: AnthropicErrorDetails


class AnthropicErrorBody(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """Anthropic's error object."""

    error: AnthropicErrorDetail
    request_id: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457."""

    title: str
    status: int
    detail: str
    code: str
    request_id: str
    type: str = "about:blank"


ErrorShape = type[AnthropicErrorBody] | type[ErrorBody] | type[Problem]


def error_shape(path: str) -> ErrorShape:
    """What an error looks like there."""
    if path == _ANTHROPIC or path.startswith(f"{_ANTHROPIC}/"):
        return AnthropicErrorBody
    return ErrorBody if path.startswith(_OPENAI) else Problem


class ErrorAnswer(msgspec.Struct, frozen=True):
    """An error, ready to be written."""

    status: int
    detail: ErrorDetail
    headers: tuple[Header, ...] = ()

    def content_type(self, path: str) -> bytes:
        return PROBLEM if error_shape(path) is Problem else JSON

    def body(self, path: str, request_id: str) -> bytes:
        """The JSON that goes with `path`."""
        shape = error_shape(path)
        if shape is AnthropicErrorBody:
            return msgspec.json.encode(self.anthropics(request_id))
        if shape is ErrorBody:
            return msgspec.json.encode(ErrorBody(self.detail))
        return msgspec.json.encode(
            Problem(
                title=HTTPStatus(self.status).phrase,
                status=self.status,
                detail=self.detail.message,
                code=self.detail.code or self.detail.type,
                request_id=request_id,
            )
        )

    def anthropics(self, request_id: str) -> AnthropicErrorBody:
        """The same in Anthropic's words, which follow from the status."""
        usual = "invalid_request_error" if self.status < 500 else "api_error"
        kind = _ANTHROPICS_TYPES.get(self.status, usual)
        details = AnthropicErrorDetails(self.detail.code, self.detail.param)
        return AnthropicErrorBody(
            AnthropicErrorDetail(kind, self.detail.message, details), request_id
        )
