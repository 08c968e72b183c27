"""`forebay handoff`: the inbox of messages that people answer."""

from __future__ import annotations

import asyncio
import getpass
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter
from msgspec.structs import asdict

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
from shared.errors import SettingsError

if TYPE_CHECKING:
    from shared.messages.item import Item
    from shared.messages.record import MessageRecord
    from shared.persistence.handoffs import Handoff
    from shared.settings.telemetry import TelemetrySettings
    from shared.telemetry.tracing import Tracing
    from shared.views.shown_handoff import ShownHandoff

_LONGEST_SHOWN = 60
_SPEAKERS: Final = {
    "function_call": "assistant, to a tool",
    "function_call_output": "tool",
}


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
    from shared.messages.stored_body import shown_text

    shown = asyncio.run(_show(handoff_id))
    found, body, items = shown.handoff, shown.body, shown.conversation
    if shown.missing:
        complain(shown.missing)
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


async def _show(handoff_id: str) -> ShownHandoff:
    from shared.views.shown_handoff import HandoffViews

    settings = command_settings()
    async with open_ledger(settings) as database:
        return await HandoffViews(database, settings.context, SystemClock()).show(handoff_id)


async def _answer(handoff_id: str, text: str, answered_by: str) -> MessageRecord:
    from shared.acts.answering import HandoffAnswers

    settings = command_settings()
    async with open_ledger(settings) as database:
        tracing = _opened_tracing(settings.telemetry)
        answers = HandoffAnswers(database, settings.redis, SystemClock(), tracing)
        record, is_woken = await answers.answer(handoff_id, text=text, answered_by=answered_by)
        await tracing.close()
    if not is_woken:
        complain("Redis does not answer: whoever waits finds the answer within seconds instead.")
    return record


def _opened_tracing(settings: TelemetrySettings) -> Tracing:
    """Silent where the key that it takes is not here: an answer does not wait for that."""
    from shared.telemetry.open_tracing import open_tracing
    from shared.telemetry.tracing import SilentTracing

    try:
        return open_tracing(settings, "command")
    except SettingsError as error:
        complain("No trace will tell of this answer.", *error.findings)
        return SilentTracing()


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
