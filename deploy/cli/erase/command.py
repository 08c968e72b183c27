"""`forebay erase`: all that a user or a conversation said, and was answered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from deploy.cli.options import AsJson
from deploy.cli.output import counted, say, say_json
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.erase.counting import CountedMessages
    from shared.erasing.erasures import Erasure
    from shared.erasing.tables import ErasureSubject


def erase(
    *,
    tenant: str,
    user: str | None = None,
    conversation: str | None = None,
    dry_run: bool = False,
    leave_to_workers: bool = False,
    as_json: AsJson = False,
) -> None:
    """Erase all that a user or a conversation said, and was answered.

    Messages, answers, handoffs, dead letters and summaries go. What it cost stays booked, to
    nobody. A message that has not ended is cancelled; each is erased a minute after its end, when
    nothing more is written of it, so this may take a minute. Interrupted, it is finished by the
    workers, or by the same command again.

    Parameters
    ----------
    tenant
        Name of the tenant whose user or conversation it is.
    user
        The user, as messages name it in `safety_identifier` or `user`.
    conversation
        The conversation's id.
    dry_run
        Count the messages, and change nothing.
    leave_to_workers
        Begin, and leave the rest to the workers.
    """
    subject, name = _whose(user, conversation)
    if dry_run:
        from deploy.cli.erase import counting

        _say_found(asyncio.run(counting.count(tenant, subject, name)), as_json=as_json)
        return
    from deploy.cli.erase import driving

    work = driving.begin if leave_to_workers else driving.finish
    erasure = asyncio.run(work(tenant, subject, name))
    if as_json:
        say_json(_plain(erasure))
    else:
        say(_told(erasure, f"{subject} '{name}' of tenant '{tenant}'"))


def _whose(user: str | None, conversation: str | None) -> tuple[ErasureSubject, str]:
    from shared.erasing.tables import ErasureSubject

    named = {ErasureSubject.USER: user, ErasureSubject.CONVERSATION: conversation}
    given = [(subject, name) for subject, name in named.items() if name is not None]
    if len(given) != 1:
        raise InvalidRequest(
            "Say whose messages: --user NAME or --conversation ID, one of the two."
        )
    return given[0]


def _say_found(found: CountedMessages, *, as_json: bool) -> None:
    if as_json:
        say_json(found)
        return
    running = f"; {found.running:,} not ended yet, to be cancelled first" if found.running else ""
    say(f"{counted(found.messages, 'message')} would be erased{running}. Nothing was changed.")


def _told(erasure: Erasure, whose: str) -> str:
    if erasure.completed_at is None:
        return (
            f"Begun as {erasure.id}; the workers finish it. How far it is: "
            f"GET /v1/erasures/{erasure.id}, or this command without --leave-to-workers."
        )
    if not erasure.messages and not erasure.stored_answers:
        return f"Nothing to erase: there is no message of {whose}, and no stored answer."
    cancelled = f" ({erasure.cancelled:,} cancelled first)" if erasure.cancelled else ""
    return (
        f"Erased {counted(erasure.messages, 'message')}{cancelled} "
        f"and {counted(erasure.stored_answers, 'stored answer')} of {whose}."
    )


def _plain(erasure: Erasure) -> dict[str, Any]:
    numbers = ("messages", "cancelled", "stored_answers")
    return {
        "id": erasure.id,
        "status": "in_progress" if erasure.completed_at is None else "completed",
        **{name: getattr(erasure, name) for name in numbers},
    }
