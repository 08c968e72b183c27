"""A golden set: a file of cases, read line by line, and the digest that says which one it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec
import re2

from shared.decoding import decode_json
from shared.errors import InvalidRequest
from shared.evaluation.golden.case import GoldenCase
from shared.evaluation.golden.checks import RegexCheck
from shared.messages.answer_format import JsonBySchema, refuse_deep
from shared.messages.facts import FACTS_KEY, facts_of
from shared.storable_text import is_storable

T = TypeVar("T")
SHIPPED: Final = Path(__file__).with_name("sets")
_SUFFIX: Final = ".jsonl"


class WrongLine(msgspec.Struct, frozen=True):
    """A line that is none: where it stands, which key is wrong, and what to do."""

    file: str
    line: int
    key: str
    problem: str

    def __str__(self) -> str:
        key = f", '{self.key}'" if self.key else ""
        return f"{self.file}, line {self.line}{key}: {self.problem}"


class ReadLines(msgspec.Struct, Generic[T], frozen=True):
    """What of a file could be read, and what could not."""

    read: tuple[T, ...]
    faults: tuple[WrongLine, ...]


class GoldenSet(msgspec.Struct, frozen=True):
    """Cases under a name. Runs are compared where their digests are equal."""

    name: str
    cases: tuple[GoldenCase, ...]

    @property
    def digest(self) -> str:
        """Of all that is in the cases, in their order, however the file is spelt."""
        return sha256(msgspec.json.encode(self.cases, order="deterministic")).hexdigest()


def shipped_sets() -> list[str]:
    """Names of the sets that come with Forebay."""
    return sorted(each.stem for each in SHIPPED.glob(f"*{_SUFFIX}"))


def read_golden_set(name_or_file: str) -> tuple[GoldenSet, tuple[WrongLine, ...]]:
    """A shipped set by its name, or a file; with what is wrong in it.

    Raises InvalidRequest where there is none, or it has no case.
    """
    shipped = name_or_file in shipped_sets()
    path = SHIPPED / f"{name_or_file}{_SUFFIX}" if shipped else Path(name_or_file)
    found = _read_cases(str(path) if not shipped else path.name, _lines(path, name_or_file))
    if not found.read and not found.faults:
        raise InvalidRequest(f"{path} has no case: write one JSON object a line.", param="set")
    return GoldenSet(path.stem[:128], found.read), found.faults


def read_json_lines(
    file: str, lines: Iterable[str], decoder: msgspec.json.Decoder[T]
) -> Iterator[tuple[int, T | WrongLine]]:
    """Each line that is not empty, with its number from 1."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, decode_json(decoder, line.encode("utf-8", "surrogatepass"))
        except InvalidRequest as error:
            is_json = error.kind != "invalid_json"
            problem = error.message if is_json else "It is no JSON. Write one JSON object a line."
            yield number, WrongLine(file, number, error.param or "", problem)


def lines_of(path: Path) -> list[str]:
    """The lines of a file of JSON lines. Raises InvalidRequest."""
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path} is not UTF-8 text. Convert it first.") from error


def _lines(path: Path, asked: str) -> list[str]:
    if not path.exists():
        raise InvalidRequest(
            f"There is no set '{asked}': name a file, or one of {', '.join(shipped_sets())}.",
            param="set",
        )
    return lines_of(path)


def _read_cases(file: str, lines: Sequence[str]) -> ReadLines[GoldenCase]:
    cases: dict[str, GoldenCase] = {}
    faults: list[WrongLine] = []
    for number, read in read_json_lines(file, lines, _case):
        fault = read if isinstance(read, WrongLine) else _fault(file, number, read, known=cases)
        if fault is not None:
            faults.append(fault)
        elif isinstance(read, GoldenCase):
            cases[read.id] = read
    return ReadLines(tuple(cases.values()), tuple(faults))


def _fault(
    file: str, number: int, case: GoldenCase, *, known: dict[str, GoldenCase]
) -> WrongLine | None:
    """What its types do not say."""
    if case.id in known:
        return WrongLine(file, number, "id", f"'{case.id}' stands there twice. Give it another.")
    if not (is_storable(case.id) and is_storable(case.cluster)):
        return WrongLine(file, number, "id", "It holds what no ledger keeps. Write plain text.")
    try:
        for check in case.checks:
            if isinstance(check, RegexCheck):
                _compile(check.pattern)
        for schema in case.schemas:
            refuse_deep(schema.schema, "checks.schema")
            JsonBySchema(schema.schema, param="checks.schema")
        if case.facts:
            facts_of({FACTS_KEY: msgspec.json.encode(case.facts).decode()})
    except InvalidRequest as error:
        key = "facts" if error.param and FACTS_KEY in error.param else error.param or ""
        return WrongLine(file, number, key, error.message)
    return None


def _compile(pattern: str) -> None:
    try:
        re2.compile(pattern, options=_quiet())
    except re2.error as error:
        reason = error.args[0]
        told = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidRequest(
            f"The pattern is none that RE2 takes: {told}. Mend it.", param="checks.pattern"
        ) from error


def _quiet() -> re2.Options:
    """RE2 writes what it refuses to stderr otherwise."""
    options = re2.Options()
    options.log_errors = False
    return options


_case: Final = msgspec.json.Decoder(GoldenCase)
