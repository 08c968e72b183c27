"""`forebay show`: what became of one message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import counted, moment, one_line, say, say_json, say_rows, say_table
from shared.settings.deployment import deployment_name

if TYPE_CHECKING:
    from shared.messages.record import MessageRecord
    from shared.persistence.message_history import BookedAttempt, MessageHistory

_CHAT: Final = "chatcmpl-"
_LONGEST_SHOWN: Final = 400
_HEADINGS: Final = (
    "turn", "provider", "model", "seconds", "in", "out", "dollars", "result", "detail"
)  # fmt: skip


def show(message_id: str, /, *, as_json: AsJson = False) -> None:
    """Show one message: its state, every attempt with verdict and cost, its trace.

    Parameters
    ----------
    message_id
        Its id: resp_…, or chatcmpl-… of a chat completion.
    """
    history = asyncio.run(_read(message_id))
    if as_json:
        say_json(_plain(history))
        return
    say_rows([[(name, one_line(value)) for name, value in _facts(history)]])
    say("")
    rows = [_cells(each) for each in history.attempts]
    say_table(_HEADINGS, rows, empty="No provider was called and booked for it so far.")


async def _read(message_id: str) -> MessageHistory:
    from shared.persistence.message_history import read_history

    if message_id.startswith(_CHAT):
        message_id = f"resp_{message_id.removeprefix(_CHAT)}"
    async with open_ledger(command_settings()) as database:
        return await read_history(database, message_id)


def _facts(history: MessageHistory) -> Iterator[tuple[str, str | None]]:
    record = history.record
    if record is None:
        yield "state", "deleted: what was spent on it is kept"
    else:
        yield from _record(record, history)
    for letter in history.dead_letters:
        yield "dead letter", f"{letter.id} ({letter.state}): {letter.reason}, {letter.detail}"
    if history.handoff_id is not None:
        yield "handoff", f"{history.handoff_id} ({history.handoff_state})"


def _record(record: MessageRecord, history: MessageHistory) -> Iterator[tuple[str, str | None]]:
    yield "id", record.id
    yield "state", record.state + (f" ({record.incomplete_reason})" if _is_cut(record) else "")
    yield "erased", moment(record.erased_at)
    yield "tenant", f"{history.tenant_name or '(gone)'} ({record.tenant_id})"
    yield "user", record.user_id
    yield "conversation", record.conversation_id
    yield "lane", f"{record.lane}, by {record.surface}"
    yield "accepted", moment(record.accepted_at)
    if record.held_at is not None:
        yield "held", f"{moment(record.held_at)}, to {moment(record.released_at) or 'now'}"
    yield from _waited(history)
    yield "deadline", moment(record.deadline)
    if record.claimed_at is not None:
        yield "claimed", f"{moment(record.claimed_at)}, for turn {record.attempt}"
    if record.finished_at is None:
        yield "worker", record.claimed_by
        yield "lease until", moment(history.lease_until)
        yield "woken", counted(history.wakes, "time")
    else:
        seconds = (record.finished_at - record.accepted_at).total_seconds()
        yield "ended", f"{moment(record.finished_at)}, after {seconds:.2f} s"
    yield "answered by", record.answered_by
    yield "model", record.model
    yield "cost", "unknown" if record.cost is None else f"${record.cost:.6f}"
    yield "error", _error(record)
    yield from _turn(record)
    yield "trace", record.traceparent[3:35] if record.traceparent else None
    yield "question", _shortened(_question(record))
    yield "answer", _shortened(record.output_text or "")


def _waited(history: MessageHistory) -> Iterator[tuple[str, str]]:
    """What it waited for beyond its turn in a queue, as far as it was kept."""
    from shared.views.waterfall.waterfall import waterfall

    for each in waterfall(history):
        if each.reason is not None:
            took = "so far" if each.end is None else f"{each.end - each.start:.1f} s"
            yield "waited", f"{took}, {each.label}: {each.reason}"


def _is_cut(record: MessageRecord) -> bool:
    return record.incomplete_reason is not None


def _error(record: MessageRecord) -> str | None:
    return f"{record.error_code}: {record.error_message}" if record.error_code else None


def _turn(record: MessageRecord) -> Iterator[tuple[str, str]]:
    """The parts of the turn's report, each where it has something to tell."""
    for part, told in (msgspec.json.decode(record.report) if record.report else {}).items():
        match told:
            case dict():
                yield part, ", ".join(f"{name} {value}" for name, value in told.items())
            case list():
                yield part, ", ".join(told)
            case _:
                yield part, str(told)


def _question(record: MessageRecord) -> str:
    from shared.messages.stored_body import decode_body

    return decode_body(record.body.encode()).input[-1].text()


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _cells(attempt: BookedAttempt) -> tuple[object, ...]:
    dollars = "unknown" if attempt.cost is None else f"{attempt.cost:.6f}"
    return (
        f"{attempt.claim}.{attempt.ordinal}",
        deployment_name(attempt.provider, attempt.deployment),
        attempt.model,
        f"{attempt.latency_seconds:.2f}",
        attempt.input_tokens,
        attempt.output_tokens,
        f"~{dollars}" if attempt.is_estimated else dollars,
        attempt.error_class or "taken",
        attempt.detail,
    )


def _plain(history: MessageHistory) -> dict[str, Any]:
    """For printing: the body and the report as JSON and not as text of JSON, no letter's bytes."""
    plain: dict[str, Any] = msgspec.to_builtins(history, builtin_types=(Decimal,))
    if record := plain["record"]:
        for name in ("body", "report"):
            record[name] = msgspec.Raw(record[name].encode()) if record[name] else None
    for letter in plain["dead_letters"]:
        del letter["body"], letter["headers"]
    return plain
