"""What a store keeps of a passage, and whose it is."""

from __future__ import annotations

import uuid
from typing import Final

import msgspec

from shared.search.label import Attribute, PassageLabel

_POINTS: Final = uuid.UUID("6f1c3f0e-7f0b-5c55-9b0a-5e3c0f0a7d11")


class Scope(msgspec.Struct, frozen=True):
    """The part of a store that one call may see: a tenant's points in a generation."""

    generation: str
    tenant: str


class Passage(msgspec.Struct, frozen=True):
    """A piece of a document as it is found: what it says, and where it stands."""

    collection: str
    document: str
    source: str
    path: str
    language: str
    kind: str
    ver: int
    """Of the delivery that wrote it, 0 to 2**53 - 1: an older one never overwrites a newer one."""
    body: str
    """What is searched by words; kept and given back in Unicode's form NFKC."""
    header: str = ""
    symbol: str | None = None
    first_line: int = 1
    last_line: int = 1
    principals: tuple[str, ...] = ()
    """Who may find it; without one, everybody of the tenant."""
    attributes: dict[str, Attribute] = {}
    """What its document was labelled with; numbers come back as floats."""

    @property
    def label(self) -> PassageLabel:
        """What of it may change by itself."""
        return PassageLabel(self.principals, self.attributes)


class Point(msgspec.Struct, frozen=True):
    """A passage with the vectors that it is found by; both may be missing, and words alone
    find it then."""

    id: str
    passage: Passage
    text_vector: list[float] | None = None
    code_vector: list[float] | None = None

    def vectors(self) -> dict[str, list[float]]:
        """Those it has, by their name."""
        both = {"text": self.text_vector, "code": self.code_vector}
        return {name: vector for name, vector in both.items() if vector is not None}

    def payload(self, tenant: str) -> dict[str, object]:
        """What the engine keeps beside the vectors; the tenant is put in here and nowhere else."""
        kept: dict[str, object] = msgspec.to_builtins(self.passage)
        return kept | self.passage.label.payload() | {"tenant": tenant}


class Change(msgspec.Struct, frozen=True):
    """Where a passage stands now; what it says is the same, and so are its vectors."""

    id: str
    path: str
    first_line: int
    last_line: int

    def payload(self, ver: int) -> dict[str, str | int]:
        """What it writes over."""
        lines = {"first_line": self.first_line, "last_line": self.last_line}
        return {"path": self.path, "ver": ver, **lines}


class Page(msgspec.Struct, frozen=True):
    """Some ids, and where the next page begins; `None` where none is left."""

    ids: tuple[str, ...]
    following: str | None


def point_id(*, tenant: str, source: str, document: str, key: str, ordinal: int) -> str:
    """The same for the same chunk (`key`) of the same document, whenever it is written.

    `ordinal` tells equal chunks of one document apart, from 0.
    """
    parts = msgspec.json.encode((tenant, source, document, key, ordinal))
    return str(uuid.uuid5(_POINTS, parts.decode()))
