"""`forebay handoff`: the inbox of messages that people answer."""

from __future__ import annotations

import asyncio
import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from cyclopts import App, Parameter

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import (
    complain,
    for_terminal,
    moment,
    one_line,
    say,
    say_json,
    say_rows,
    say_table,
)
from shared.clock import SystemClock
from shared.errors import InvalidRequest, NotFound, RedisUnavailable

if TYPE_CHECKING:
    from shared.messages.item import Item
    from shared.messages.record import MessageRecord
    from shared.persistence.handoffs import Handoff
    from shared.settings.servers import RedisSettings

_LONGEST_SHOWN = 60
_SPEAKERS: Final = {
    "function_call": "assistant, to a tool",
    "function_call_output": "tool",
}


class _Waiting(NamedTuple):
    """A message that waits, by what it continues."""

    id: str
    tenant_id: str
    previous_id: str | None
    conversation_id: str | None


handoff = App(name="handoff", help="Messages that wait for a person: list, show and answer them.")


@handoff.command(name="list")
def list_handoffs(
    *,
    everything: Annotated[bool, Parameter(name="--all")] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show what waits, the longest waiting first.

    Parameters
    ----------
    everything
        Show answered and closed ones, too.
    """
    handoffs = asyncio.run(_list(limit, everything=everything))
    if as_json:
        say_json(handoffs)
        return
    say_table(
        ("id", "since", "state", "message"),
        [
            (each.id, f"{each.created_at:%m-%d %H:%M}", each.state, _question(each.body))
            for each in handoffs
        ],
        empty="Nobody waits for a person.",
    )


@handoff.command
def show(handoff_id: str, /, *, as_json: AsJson = False) -> None:
    """Show one with the whole conversation, its tools and what it continues, and why it waits.

    Parameters
    ----------
    handoff_id
        Its id, as `forebay handoff list` shows it.
    """
    from shared.messages.stored_body import decode_body, shown_text

    found, items = asyncio.run(_show(handoff_id))
    body = decode_body(found.body.encode())
    if as_json:
        say_json({**asdict(found), "conversation": items, "body": body})
        return
    names = ("id", "message_id", "tenant_id", "state", "reason", "answered_by")
    facts = [(name, one_line(getattr(found, name))) for name in names]
    times = [("since", moment(found.created_at)), ("answered", moment(found.answered_at))]
    say_rows([[*facts, *times]])
    said = [("instructions", body.instructions or "")]
    said += [(_speaker(item), shown_text(item)) for item in items]
    for who, text in said:
        if text:
            say(f"\n{who}:\n{for_terminal(text)}")
    say(f"\nWhat became of it:  forebay show {found.message_id}")


@handoff.command
def answer(
    handoff_id: str,
    text: str,
    /,
    *,
    answered_by: Annotated[str | None, Parameter(name="--by")] = None,
    as_json: AsJson = False,
) -> None:
    """Answer one. Its producer gets the text like any other answer.

    Parameters
    ----------
    handoff_id
        Its id, as `forebay handoff list` shows it.
    text
        What to answer.
    answered_by
        Who answers; your login name when not given.
    """
    if not text.strip():
        raise InvalidRequest("The answer is empty: write what the producer shall read.")
    record = asyncio.run(_answer(handoff_id, text, answered_by or _login()))
    if as_json:
        say_json({"id": record.id, "status": record.state, "answered_by": record.answered_by})
    else:
        say(f"Answered: {record.id} is {record.state}.")


async def _list(limit: int, *, everything: bool) -> list[Handoff]:
    from shared.persistence.handoffs import HandoffRepository
    from shared.persistence.tables import HandoffState

    async with open_ledger(command_settings()) as database:
        inbox = HandoffRepository(database, SystemClock())
        return await inbox.list(state=None if everything else HandoffState.OPEN, limit=limit)


async def _show(handoff_id: str) -> tuple[Handoff, list[Item]]:
    """It, and the conversation up to it, as far as a model would be given it."""
    from shared.conversations.history import ConversationRepository
    from shared.messages.stored_body import decode_body
    from shared.persistence.handoffs import HandoffRepository

    settings = command_settings()
    async with open_ledger(settings) as database:
        found = await HandoffRepository(database, SystemClock()).show(handoff_id)
        asked = decode_body(found.body.encode()).input
        of = _Waiting(found.message_id, found.tenant_id, found.previous_id, found.conversation_id)
        limit, limit_bytes = settings.context.message_limit, settings.context.history_bytes
        said = ConversationRepository(database)
        try:
            earlier, added = await said.before(of, asked, limit=limit, limit_bytes=limit_bytes)
        except NotFound as gone:
            complain(gone.message)
            earlier, added = [], asked
    return found, [*earlier, *added]


async def _answer(handoff_id: str, text: str, answered_by: str) -> MessageRecord:
    from shared.persistence.handoffs import HandoffRepository

    settings = command_settings()
    async with open_ledger(settings) as database:
        inbox = HandoffRepository(database, SystemClock())
        record = await inbox.answer(handoff_id, text=text, answered_by=answered_by)
    try:
        await _wake(record, settings.redis)
    except RedisUnavailable:
        complain("Redis does not answer: whoever waits finds the answer within seconds instead.")
    return record


async def _wake(record: MessageRecord, settings: RedisSettings) -> None:
    """Put the answer onto the response's stream, which wakes who waits for it."""
    from shared.messages.events import encode_event
    from shared.redis.client import open_redis
    from shared.replies.event_sequence import answer_at_once
    from shared.replies.reply_stream import ReplyStream

    redis = open_redis(settings)
    replies = ReplyStream(redis, ttl_seconds=settings.reply_ttl_seconds)
    try:
        events = [encode_event(event) for event in answer_at_once(record)]
        await replies.append(record.id, record.attempt, events)
    finally:
        await replies.close()
        await redis.aclose()


def _question(body: str) -> str:
    from shared.messages.stored_body import decode_body, shown_text

    said = decode_body(body.encode()).input
    text = next((shown_text(item) for item in reversed(said) if _speaker(item) == "user"), "")
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _speaker(item: Item) -> str:
    return _SPEAKERS.get(item.kind, item.role)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"
