"""One case of a golden set: a message as a producer would send it, and what must hold."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from shared.evaluation.golden.checks import Check, JudgeCheck, SchemaCheck
from shared.messages.facts import FACTS_KEY
from shared.settings.watching.variants import ASKED_FOR

COLLECTION: Final = "$collection"
"""Stands in a case for the collection that is searched, which has another id on every system."""


class GoldenCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line of a set. `request` has further fields of POST /v1/responses; `facts` are attached
    to the message as any producer attaches them."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    input: Annotated[str, msgspec.Meta(min_length=1)] | list[dict[str, Any]]
    checks: Annotated[tuple[Check, ...], msgspec.Meta(min_length=1)]
    request: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    conversation: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    """Cases of one conversation are drawn together: they are no independent ones."""
    tags: tuple[str, ...] = ()
    weight: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = 1.0

    @property
    def cluster(self) -> str:
        """What it is drawn with: its conversation, or itself."""
        return self.conversation or self.id

    @property
    def rubrics(self) -> tuple[str, ...]:
        """What only a judge can say."""
        return tuple(each.rubric for each in self.checks if isinstance(each, JudgeCheck))

    @property
    def asked(self) -> str:
        """What is said in it, as one text."""
        if isinstance(self.input, str):
            return self.input
        return msgspec.json.encode(self.input).decode()

    @property
    def needs_collection(self) -> bool:
        """Whether it searches one that is named when it is run."""
        return COLLECTION.encode() in msgspec.json.encode(self.request)

    def body(
        self, *, collection_id: str | None = None, variant: str | None = None
    ) -> dict[str, Any]:
        """The body of POST /v1/responses; to be answered under that variant of the settings."""
        request = _with_collection(self.request, collection_id)
        metadata = dict(request.pop("metadata", {}))
        if self.facts:
            metadata[FACTS_KEY] = msgspec.json.encode(self.facts).decode()
        if variant is not None:
            metadata[ASKED_FOR] = variant
        return {**request, "input": self.input, **({"metadata": metadata} if metadata else {})}

    @property
    def schemas(self) -> tuple[SchemaCheck, ...]:
        """Those that it is held against."""
        return tuple(each for each in self.checks if isinstance(each, SchemaCheck))


def _with_collection(value: Any, collection_id: str | None) -> Any:
    match value:
        case dict():
            return {key: _with_collection(each, collection_id) for key, each in value.items()}
        case list():
            return [_with_collection(each, collection_id) for each in value]
    return collection_id if value == COLLECTION and collection_id else value
