"""Tell a message that no worker can run, before Celery stumbles over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from kombu import Message

from shared.messages.dead_letter import Bury, DeadReason
from shared.queueing.reading.delivery import (
    COMPRESSION_HEADER,
    MALFORMED_HEADER,
    contents_of,
    why_undecodable,
)

# A task message carries ids, not contents; `app.message_limit_bytes` changes it.
MESSAGE_LIMIT_BYTES = 1_048_576

LONGEST_LIMIT_SECONDS = 1e9
_OWN_TO_CELERY: Final = "celery."
_NEVER_FOLLOWED: Final = {
    "callbacks": "link",
    "errbacks": "link_error",
    "chain": "chain",
    "chord": "chord",
}
"""What a message may name to be done after its task, and what its sender calls that."""

Fitting = Callable[[str, object, object], str | None]
"""Given a task's name, arguments and keyword arguments: what does not fit it, or None."""


def fits_any(_task: str, _args: object, _kwargs: object) -> str | None:
    """For applications that leave it to their tasks."""
    return None


def examine(
    message: Message,
    *,
    known: Mapping[str, object],
    limit_bytes: int,
    complaint_about: Fitting = fits_any,
) -> Bury | None:
    """What makes this message impossible to run, or None.

    Everything that Celery's strategy takes on trust is checked here: the id, the body's triple,
    the time limits, and by `complaint_about` the arguments. The tasks that Celery brings along are
    nobody's here: what they would do is lost without a word. So is what is to follow a task, which
    therefore does not run either. The body is unpacked within the limit; decoded it is cached in
    the message, so nothing is decoded twice.
    """
    headers: object = message.headers
    if not isinstance(headers, dict):
        return Bury(DeadReason.MALFORMED, "the headers are not a table")
    if not _is_plain(message, headers, limit_bytes):
        plain = contents_of(message, limit_bytes=limit_bytes)
        if isinstance(plain, Bury):
            return plain
        message.body = plain  # type: ignore[assignment]  # the stubs know text only
    complaint = _complaint_about_headers(headers) or _complaint_about_body(message)
    if complaint is not None:
        return Bury(DeadReason.MALFORMED, complaint)
    task = headers["task"]
    if task not in known or task.startswith(_OWN_TO_CELERY):
        return Bury(DeadReason.UNKNOWN_TASK, f"no task is called {task!r:.200}")
    args, kwargs, embed = message.payload
    unfit = _complaint_about_what_follows(headers, embed or {}) or complaint_about(
        task, args, kwargs
    )
    return Bury(DeadReason.INVALID, unfit) if unfit else None


def _complaint_about_what_follows(
    headers: dict[str, object], embed: dict[str, object]
) -> str | None:
    for name, option in _NEVER_FOLLOWED.items():
        if embed.get(name) or headers.get(name):
            return (
                f"the message asks for a {option}, which no worker here follows; its task has not "
                f"run. Send each task by itself"
            )
    return None


def _is_plain(message: Message, headers: dict[str, object], limit_bytes: int) -> bool:
    """Whether its body is as its sender wrote it, and not too large."""
    if getattr(message, COMPRESSION_HEADER, None) or MALFORMED_HEADER in headers:
        return False
    body: object = message.body
    return isinstance(body, bytes) and len(body) <= limit_bytes


def _complaint_about_headers(headers: dict[str, object]) -> str | None:
    for name in ("task", "id"):
        value = headers.get(name)
        if not isinstance(value, str) or not value:
            return f"the header {name} is not a text"
    for name in ("eta", "expires"):
        if not isinstance(headers.get(name), str | None):
            return f"the header {name} is not a text"
    limits = headers.get("timelimit")
    if limits is not None and not _is_pair_of_seconds(limits):
        return "the header timelimit is not a pair of seconds"
    return None


def _is_pair_of_seconds(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(part is None or _is_seconds(part) for part in value)
    )


def _is_seconds(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < LONGEST_LIMIT_SECONDS


def _complaint_about_body(message: Message) -> str | None:
    try:
        body: object = message.payload
    except Exception as error:  # noqa: BLE001 - any codec may fail in its own way on foreign bytes
        return why_undecodable("the body", error)
    if not isinstance(body, list | tuple) or len(body) != 3:
        return "the body is not a triple of arguments, keywords and options"
    args, kwargs, embed = body
    if not isinstance(args, list | tuple):
        return "the arguments are not a list"
    if not isinstance(kwargs, dict):
        return "the keyword arguments are not a table"
    if embed is not None and not isinstance(embed, dict):
        return "the options are not a table"
    return None
