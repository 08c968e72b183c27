"""What goes between a store and the owner of its folder."""

from __future__ import annotations

import msgspec

from shared.errors import Conflict, ForebayError, InvalidRequest, NotFound
from shared.search.generation import Generation, GenerationState
from shared.search.label import PassageLabel
from shared.search.point import Change, Page, Passage, Point, Scope
from shared.search.query import Query, SearchAnswer, Where
from shared.search.vector_store import StoreBusy, StoreRefused, StoreUnavailable


class CreateCall(msgspec.Struct, frozen=True, tag="create"):
    generation: Generation


class DropCall(msgspec.Struct, frozen=True, tag="drop"):
    name: str


class ListCall(msgspec.Struct, frozen=True, tag="list"):
    """The names of the generations."""


class DescribeCall(msgspec.Struct, frozen=True, tag="describe"):
    name: str


class OptimizeCall(msgspec.Struct, frozen=True, tag="optimize"):
    name: str
    build: str | None = None
    """Of a build that goes on; `None` begins one."""


class UpsertCall(msgspec.Struct, frozen=True, tag="upsert"):
    scope: Scope
    points: tuple[Point, ...]


class DeleteCall(msgspec.Struct, frozen=True, tag="delete"):
    scope: Scope
    ids: tuple[str, ...]
    ver: int


class ChangeCall(msgspec.Struct, frozen=True, tag="change"):
    scope: Scope
    changes: tuple[Change, ...]
    ver: int


class LabelCall(msgspec.Struct, frozen=True, tag="label"):
    scope: Scope
    ids: tuple[str, ...]
    label: PassageLabel
    ver: int


class CountCall(msgspec.Struct, frozen=True, tag="count"):
    scope: Scope
    where: Where


class ScrollCall(msgspec.Struct, frozen=True, tag="scroll"):
    scope: Scope
    where: Where
    limit: int
    start: str | None


class ReadCall(msgspec.Struct, frozen=True, tag="read"):
    scope: Scope
    ids: tuple[str, ...]


class QueryCall(msgspec.Struct, frozen=True, tag="query"):
    scope: Scope
    query: Query


WriteCall = UpsertCall | DeleteCall | ChangeCall | LabelCall
Call = (
    CreateCall
    | DropCall
    | ListCall
    | DescribeCall
    | OptimizeCall
    | WriteCall
    | CountCall
    | ScrollCall
    | ReadCall
    | QueryCall
)


class StoreRequest(msgspec.Struct, frozen=True):
    """One call, and by when its caller is gone."""

    until: float
    """Of the monotonic clock, which all processes of a machine share."""
    call: Call


class DoneReply(msgspec.Struct, frozen=True, tag="done"):
    """Nothing to tell but that it is done."""


class NamesReply(msgspec.Struct, frozen=True, tag="names"):
    names: tuple[str, ...]


class StateReply(msgspec.Struct, frozen=True, tag="state"):
    state: GenerationState


class BuildReply(msgspec.Struct, frozen=True, tag="build"):
    build: str
    is_running: bool
    failed: str | None = None
    """Why the old graph serves on."""
    is_older: bool = False
    """It began before it was asked for."""


class CountReply(msgspec.Struct, frozen=True, tag="count"):
    number: int


class PageReply(msgspec.Struct, frozen=True, tag="page"):
    page: Page


class PassagesReply(msgspec.Struct, frozen=True, tag="passages"):
    passages: dict[str, Passage]


class AnswerReply(msgspec.Struct, frozen=True, tag="answer"):
    answer: SearchAnswer


class ErrorReply(msgspec.Struct, frozen=True, tag="error"):
    """An error by its code, so that the caller gets the class that the owner raised."""

    code: str
    message: str
    param: str | None = None


Reply = (
    DoneReply
    | NamesReply
    | StateReply
    | BuildReply
    | CountReply
    | PageReply
    | PassagesReply
    | AnswerReply
    | ErrorReply
)
_TOLD = (Conflict, StoreBusy, StoreUnavailable, StoreRefused)


def as_reply(error: ForebayError) -> ErrorReply:
    return ErrorReply(error.code, error.message, getattr(error, "param", None))


def as_error(reply: ErrorReply) -> ForebayError:
    if reply.code == InvalidRequest.code:
        return InvalidRequest(reply.message, param=reply.param)
    if reply.code == NotFound.code:
        return NotFound(reply.message, param=reply.param)
    for error in _TOLD:
        if error.code == reply.code:
            return error(reply.message)
    return StoreRefused(reply.message)
