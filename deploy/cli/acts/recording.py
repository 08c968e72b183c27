"""Around a command that changes something."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from deploy.cli.acts.pending import PendingAct, pending_act
from deploy.cli.acts.table import ACTS, RecordedAct
from shared.errors import ForebayError

if TYPE_CHECKING:
    from cyclopts import App


@contextmanager
def recorded(app: App, arguments: Sequence[str], name: str) -> Iterator[None]:
    """None is done unrecorded, and one that failed is recorded as failed.

    Raises cyclopts' errors for what was wrongly typed.
    """
    _, bound, _ = app.parse_args(arguments, exit_on_error=False, print_error=False)
    act, typed = ACTS[name], _flat(bound.arguments)
    if act.only_with and not any(typed.get(each) for each in act.only_with):
        yield
        return
    target = _named(typed.get(act.target, ""))
    pending = PendingAct(name.replace(" ", "."), target, _detail(act, typed))
    before = pending_act.set(pending)
    try:
        yield
    except ForebayError as error:
        asyncio.run(pending.fail(error.code))
        raise
    finally:
        pending_act.reset(before)


def _flat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """By parameter, those that a command takes as a group of options too."""
    typed: dict[str, Any] = {}
    for name, value in arguments.items():
        if is_dataclass(value):
            options = {each.name: getattr(value, each.name) for each in fields(value)}
            typed |= {option: said for option, said in options.items() if said is not None}
        else:
            typed[name] = value
    return typed


def _named(target: object) -> str:
    """Several are told as they were typed."""
    return " ".join(map(str, target)) if isinstance(target, tuple) else str(target)


def _detail(act: RecordedAct, typed: dict[str, Any]) -> dict[str, Any]:
    return {each: _plain(typed[each]) for each in act.said if typed.get(each) is not None}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, int | float) else str(value)
