"""One operation of the HTTP surface: where it is, who serves it, and how it is described."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ingress.api.http.border import Endpoint


class Tag(StrEnum):
    """The groups of the documentation."""

    RESPONSES = "Responses"
    CHAT = "Chat completions"
    MODELS = "Models"
    CACHE = "Cache"
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


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """`request` and `answer` are the types of the bodies; `errors` are the statuses to expect."""

    method: str
    path: str
    endpoint: Endpoint
    tag: Tag
    summary: str
    description: str = ""
    request: type | None = None
    answer: type | None = None
    answer_type: str = "application/json"
    streams: type | None = None
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    secured: bool = True
    hot: bool = False
    """Served before the framework is asked; its path has no parameters."""

    @property
    def framework_path(self) -> str:
        """The path as the router spells it: a model's name may contain slashes."""
        return self.path.replace("{model}", "{model:path}")
