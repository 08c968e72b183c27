"""One operation of the HTTP surface: a route, and how it is described."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ingress.api.http.routes import Route


class Tag(StrEnum):
    """The groups of the documentation."""

    RESPONSES = "Responses"
    CHAT = "Chat completions"
    CONVERSATIONS = "Conversations"
    MESSAGES = "Messages"
    MODELS = "Models"
    FILES = "Files"
    CACHE = "Cache"
    ERASURES = "Erasures"
    HEALTH = "Health"
    DOCUMENTATION = "Documentation"


class Parameter(msgspec.Struct, frozen=True):
    """A header or a part of the query."""

    name: str
    place: str
    kind: str
    description: str
    pattern: str | None = None
    """What its text has to look like, as JSON Schema says it."""


class Operation(Route, frozen=True, kw_only=True):
    """`request` and `answer` are the types of the bodies; `errors` are the statuses to expect."""

    tag: Tag
    summary: str
    description: str = ""
    request: type | None = None
    request_type: str = "application/json"
    answer: type | None = None
    answer_type: str = "application/json"
    streams: type | None = None
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    secured: bool = True
