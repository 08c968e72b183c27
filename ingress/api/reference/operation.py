"""One operation of the HTTP surface: a route, and how it is described."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from ingress.api.http.border import Route

KEY_ERRORS: Final = (401, 503)
"""Of everything that asks for a key, which is looked up in the database."""
FIND_ERRORS: Final = (400, 401, 404, 503)
"""Of what takes a query or a conversation, and finds something by its id."""
BODY_ERRORS: Final = (400, 401, 413, 415, 503)
"""Of what takes a body."""


class Tag(StrEnum):
    """The groups of the documentation."""

    RESPONSES = "Responses"
    CHAT = "Chat completions"
    CONVERSATIONS = "Conversations"
    MESSAGES = "Messages"
    MODELS = "Models"
    EMBEDDINGS = "Embeddings"
    FILES = "Files"
    BATCHES = "Batches"
    VECTOR_STORES = "Vector stores"
    INDEX = "Index"
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


class Operation(Route, frozen=True):
    """`request` and `answer` are the types of the bodies; `errors` are the statuses to expect.

    A table of a tag's operations says what most of them share once: `partial(Operation, tag=…)`.
    """

    summary: str
    tag: Tag
    description: str = ""
    request: type | None = None
    request_type: str = "application/json"
    answer: type | None = None
    answer_type: str = "application/json"
    streams: type | None = None
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    secured: bool = True
