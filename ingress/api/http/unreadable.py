"""Why a request could not be read as HTTP, and the answer that says so."""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus

from ingress.api.http.errors import HttpRefusal, error_answer
from shared.identifiers import REQUEST, new_id


class Unreadable(Enum):
    """Each is a status, a code and a sentence; the connection is closed behind all of them."""

    MALFORMED = (
        400,
        "invalid_http",
        "This is not a valid HTTP/1.1 request: its start, a header, its framing or its Host is "
        "wrong. Send it anew.",
    )
    HEAD_TOO_LARGE = (
        431,
        "headers_too_large",
        "The headers are larger than `ingress.head_limit_bytes` allows. Send less.",
    )
    HEAD_TOO_SLOW = (
        408,
        "headers_too_slow",
        "The headers did not arrive within `ingress.head_timeout_seconds`. Send them at once.",
    )
    BODY_TOO_SLOW = (
        408,
        "body_too_slow",
        "The body did not arrive within `ingress.body_timeout_seconds`. Send it faster, or less.",
    )

    @property
    def status(self) -> int:
        return self.value[0]

    def answer(self, url: bytes) -> bytes:
        """A whole HTTP answer; `url` is as much of the request's as was read."""
        status, code, message = self.value
        path, request_id = url.decode("latin-1"), new_id(REQUEST)
        error = error_answer(HttpRefusal(status, message, code=code))
        body = error.body(path, request_id)
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            f"content-type: {error.content_type(path).decode()}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {request_id}\r\n"
            "connection: close\r\n\r\n"
        )
        return head.encode() + body
