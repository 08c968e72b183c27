"""Celery tasks: the edge between the queue and the pipeline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from celery import Celery

from shared.errors import LedgerUnavailable
from shared.queueing.task_names import TaskName
from shared.telemetry.logs import get_logger
from workers.pipeline import Pipeline, TurnOutcome


class MessageFailed(Exception):
    """The message ended as failed. Its text, which Flower shows, says where the reason is."""


_WAKE_UP: Final = frozenset({"message_id", "lane", "deadline"})
_RESPONSE_ID: Final = re.compile(r"resp_[0-9A-Za-z_-]{1,59}")


def complaint_about_arguments(task: str, args: object, kwargs: object) -> str | None:
    """What keeps these from being arguments of a task of ours; None where they fit.

    Celery would find out in the middle of the task and call it a failure, which acknowledges.
    """
    if task != TaskName.ANSWER or not isinstance(kwargs, dict):
        return None
    if args or kwargs.keys() != _WAKE_UP:
        return f"a wake-up has the keyword arguments {', '.join(sorted(_WAKE_UP))} and no others"
    if not all(isinstance(value, str) for value in kwargs.values()):
        return "the arguments of a wake-up are texts"
    if _RESPONSE_ID.fullmatch(kwargs["message_id"]) is None:
        return "'message_id' is not the id of a message"
    return None


def register_tasks(app: Celery, running: Sequence[Pipeline]) -> None:
    """Register the tasks of this app; `running` holds the process's own pipeline while it runs."""

    # Celery acknowledges a task that failed as one that succeeded; `throws` spares its traceback.
    @app.task(name=TaskName.ANSWER.value, ignore_result=True, throws=(MessageFailed,))
    async def answer(message_id: str, lane: str, deadline: str) -> str:  # noqa: ARG001
        """Answer one accepted message; what became of it, for Flower.

        Raises MessageFailed where it ended as failed, which is written by then, also where that was
        in the queue or under an earlier wake-up, whose task has the same id: nobody shall see a
        green one. Either end acknowledges the wake-up. Its loss would be harmless, so a ledger
        that is away acknowledges too: the reconciler publishes again what nobody claimed.
        """
        try:
            outcome = await running[0].run(message_id)
            if outcome is TurnOutcome.NOTHING_TO_CLAIM and await running[0].has_failed(message_id):
                outcome = TurnOutcome.FAILED
        except LedgerUnavailable as error:
            get_logger(__name__).warning("turn_put_off", message_id=message_id, code=error.code)
            return error.code
        if outcome is TurnOutcome.FAILED:
            raise MessageFailed(f"forebay show {message_id}")
        return outcome.value
