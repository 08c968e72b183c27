"""`forebay dead`: messages that will not be answered."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from deploy.cli.connection import command_settings, open_ledger, running_stack
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import for_terminal, moment, say, say_json, say_rows, say_table
from shared.clock import SystemClock

if TYPE_CHECKING:
    from shared.acts.replaying import Replayed
    from shared.persistence.dead_letters import DeadLetter

dead = App(name="dead", help="Dead letters: list, show, replay and discard them.")


@dead.command(name="list")
def list_letters(
    *,
    everything: Annotated[bool, Parameter(name="--all")] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show open dead letters, the newest first.

    Parameters
    ----------
    everything
        Show replayed and discarded ones, too.
    """
    letters = asyncio.run(_list(limit, everything=everything))
    if as_json:
        say_json([_plain(letter) for letter in letters])
        return
    say_table(
        ("id", "since", "state", "reason", "detail"),
        [
            (each.id, f"{each.created_at:%m-%d %H:%M}", each.state, each.reason, each.detail)
            for each in letters
        ],
        empty="There are no dead letters.",
    )


@dead.command
def show(letter_id: str, /, *, as_json: AsJson = False) -> None:
    """Show one with its headers and body, as it came.

    Parameters
    ----------
    letter_id
        Its id, as `forebay dead list` shows it.
    """
    plain = _plain(asyncio.run(_show(letter_id)))
    if as_json:
        say_json(plain)
        return
    say_rows([[(name, _for_people(value)) for name, value in plain.items() if value]])


@dead.command
def replay(letter_id: str, /, *, key: str | None = None, as_json: AsJson = False) -> None:
    """Send one again: an accepted message under a new id, any other back onto `intake`.

    Parameters
    ----------
    letter_id
        Its id, as `forebay dead list` shows it.
    key
        The API key to put with a message for `intake`, because keys are not kept; FOREBAY_API_KEY
        or the running stack's key when not given.
    """
    replayed = asyncio.run(_replay(letter_id, key))
    if as_json:
        say_json(replayed)
    else:
        named = replayed.replayed_as.startswith("resp_")
        road = f"as {replayed.replayed_as}" if named else f"through `{replayed.replayed_as}`"
        say(f"{replayed.letter_id} is on its way again, {road}.")


@dead.command
def discard(letter_id: str, /, *, as_json: AsJson = False) -> None:
    """Close one for good. It stays readable with --all.

    Parameters
    ----------
    letter_id
        Its id, as `forebay dead list` shows it.
    """
    plain = _plain(asyncio.run(_discard(letter_id)))
    if as_json:
        say_json(plain)
    else:
        say(f"{letter_id} is discarded.")


async def _list(limit: int, *, everything: bool) -> list[DeadLetter]:
    from shared.persistence.dead_letters import DeadLetterRepository
    from shared.persistence.tables import DeadLetterState

    async with open_ledger(command_settings()) as database:
        letters = DeadLetterRepository(database, SystemClock())
        return await letters.list(state=None if everything else DeadLetterState.OPEN, limit=limit)


async def _show(letter_id: str) -> DeadLetter:
    from shared.persistence.dead_letters import DeadLetterRepository

    async with open_ledger(command_settings()) as database:
        return await DeadLetterRepository(database, SystemClock()).show(letter_id)


async def _discard(letter_id: str) -> DeadLetter:
    from shared.persistence.dead_letters import DeadLetterRepository
    from shared.persistence.tables import DeadLetterState

    async with open_ledger(command_settings()) as database:
        letters = DeadLetterRepository(database, SystemClock())
        await letters.close_letter(letter_id, state=DeadLetterState.DISCARDED)
        return await letters.show(letter_id)


async def _replay(letter_id: str, key: str | None) -> Replayed:
    from shared.acts.replaying import letter_replays

    settings = command_settings()
    async with open_ledger(settings) as database, letter_replays(database, settings) as replays:
        return await replays.replay(letter_id, key=key or _own_key())


def _own_key() -> str | None:
    stack = running_stack()
    return os.environ.get("FOREBAY_API_KEY") or (stack.key if stack else None)


def _for_people(value: object) -> str:
    return moment(value) if isinstance(value, datetime) else for_terminal(str(value))


def _plain(letter: DeadLetter) -> dict[str, object]:
    """For printing: bytes that are text as text, others as their representation."""
    fields = {name: getattr(letter, name) for name in letter.__struct_fields__}
    if letter.body is not None:
        fields["body"] = letter.body.decode(errors="backslashreplace")
    return fields
