"""Every command is known as one that changes something or as one that does not."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest
from cyclopts import App

from deploy.cli.__main__ import build_app
from deploy.cli.acts.table import ACTS, READS, act_of


def _commands(app: App, above: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in app.resolved_commands():
        if not name.startswith("-"):
            path = f"{above} {name}".strip()
            if app[name].default_command is not None:
                yield path, app[name].default_command
            yield from _commands(app[name], path)


def test_each_command_is_an_act_or_reads_and_there_are_no_others() -> None:
    commands = dict(_commands(build_app()))
    assert {*ACTS} | READS == {*commands}
    assert not {*ACTS} & READS


@pytest.mark.parametrize("name", ACTS)
def test_what_is_recorded_of_an_act_are_its_parameters(name: str) -> None:
    command = dict(_commands(build_app()))[name]
    act = ACTS[name]
    assert {act.target, *act.said, *act.only_with} <= _parameters(command)


def _parameters(command: Callable[..., Any]) -> set[str]:
    """Those that it takes as a group of options too."""
    names = {*inspect.signature(command).parameters}
    for hint in get_type_hints(command).values():
        for part in filter(is_dataclass, get_args(hint)):
            names |= {each.name for each in fields(part)}
    return names


def test_secrets_and_words_of_people_are_not_recorded() -> None:
    recorded = {each for act in ACTS.values() for each in (act.target, *act.said)}
    assert not recorded & {"key", "text", "user", "conversation", "url", "principal"}


def test_an_act_is_known_by_its_first_words() -> None:
    assert act_of(["keys", "revoke", "key_1", "--json"]) == "keys revoke"
    assert act_of(["erase", "--tenant", "acme"]) == "erase"
    assert act_of(["keys", "list"]) is None
    assert act_of([]) is None
