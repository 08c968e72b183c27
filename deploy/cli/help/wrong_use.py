"""What was typed wrongly, in one sentence that names it and what to type instead."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from typing import Final

from cyclopts import CoercionError, CycloptsError, MissingArgumentError
from cyclopts.argument import Argument
from cyclopts.exceptions import (
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

_WRITE: Final = {int: "a whole number", float: "a number"}


def wrong_use(error: CycloptsError) -> str:
    """For people: what is missing, unknown or too much, and where the command's help is."""
    command = " ".join(("forebay", *(error.command_chain or ())))
    return f"{_fault(error, command)} See: {command} --help"


def _fault(error: CycloptsError, command: str) -> str:
    match error:
        case MissingArgumentError(keyword=str(typed)):
            return f"{typed} has no value: write it after {typed}."
        case MissingArgumentError(argument=Argument() as argument):
            return f"{command} needs {_named(argument)}: write {_as_typed(argument)}."
        case UnknownOptionError(token=token, argument_collection=known):
            option = token.keyword or token.value
            names = [name for each in known for name in each.names]
            return f"{command} has no option {option}.{_nearest(option, names)}"
        case UnknownCommandError(unused_tokens=[typed, *_], app=app):
            names = [name for name in app or () if not name.startswith("-")]
            return f"{command} has no command '{typed}'.{_nearest(typed, names)}"
        case UnusedCliTokensError(unused_tokens=[typed, *_]):
            return f"{command} does not know what to do with '{typed}': leave it out, or quote it."
        case RepeatArgumentError(token=token):
            return f"{token.keyword or token.value} is given more than once: leave one."
        case CoercionError(token=token, target_type=kind, argument=Argument() as argument) if token:
            name = token.keyword or _named(argument)
            return f"{name} cannot be '{token.value}': write {_write(kind)}."
        case ValidationError(argument=Argument() as argument, exception_message=why):
            token = argument.tokens[0]
            return f"{token.keyword or _named(argument)} cannot be '{token.value}'. {why}".strip()
    return str(error)


def _named(argument: Argument) -> str:
    return argument.name if argument.name.startswith("-") else argument.name.upper()


def _as_typed(argument: Argument) -> str:
    option = argument.name
    value = option.lstrip("-").upper()
    return f"{option} {value}" if option.startswith("-") else "it after the command"


def _nearest(typed: str, names: Iterable[str]) -> str:
    near = get_close_matches(typed, names, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _write(kind: object) -> str:
    if inspect.isclass(kind) and issubclass(kind, Enum):
        *others, last = [str(each.value) for each in kind]
        return f"{', '.join(others)} or {last}"
    return _WRITE.get(kind, "another value") if inspect.isclass(kind) else "another value"
