"""What is to be sent: the bodies of POST /v1/responses, one for each line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec


class Order(msgspec.Struct, frozen=True):
    """One message; `line` counts from 1 where it came from a file."""

    body: dict[str, Any]
    line: int = 1


class BadLine(msgspec.Struct, frozen=True):
    """A line that is no message, and why."""

    line: int
    problem: str


def order_of(text: str, options: dict[str, Any], *, line: int = 1) -> Order:
    """A message of plain text."""
    return Order({**options, "input": text}, line)


def read_jsonl(lines: Iterable[str], options: dict[str, Any]) -> Iterator[Order | BadLine]:
    """Every line a JSON string, or an object with the fields of POST /v1/responses.

    What a line says itself wins over `options`. Empty lines are passed over.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _read(line, options, number)


def read_text(lines: Iterable[str], options: dict[str, Any]) -> Iterator[Order | BadLine]:
    """Every line a message: an object as in JSONL, anything else as plain text."""
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("{"):
            yield _read(line, options, number)
        elif line.strip():
            yield order_of(line.strip(), options, line=number)


def _read(line: str, options: dict[str, Any], number: int) -> Order | BadLine:
    try:
        value = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        return BadLine(number, f"is not JSON ({error}). Write a JSON string or object.")
    if isinstance(value, str) and value:
        return order_of(value, options, line=number)
    if isinstance(value, dict) and value.get("input"):
        return Order({**options, **value}, number)
    return BadLine(number, 'has no message: write a string, or an object with "input".')
