"""Two questions and whether one answer serves both, as somebody judged it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zlib import crc32

import msgspec

from shared.errors import InvalidRequest

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Half(StrEnum):
    """A threshold that was chosen on pairs must be judged on others."""

    TUNE = "tune"
    REPORT = "report"


class LabelledPair(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a labelled file."""

    first: _Text
    second: _Text
    same: bool
    """Whether an answer to one is right for the other."""
    domain: str = ""
    """What it is about; for whoever reads the file."""
    half: Half | None = None
    """Left out, it is drawn from the first question, so that its pairs stay together."""

    @property
    def is_for_tuning(self) -> bool:
        """Which half it is in."""
        if self.half is not None:
            return self.half is Half.TUNE
        return crc32(self.first.encode()) % 2 == 0


_decoder = msgspec.json.Decoder(LabelledPair)


def read_pairs(file: Path) -> list[LabelledPair]:
    """Every line that is not empty; raises InvalidRequest with the number of the first bad one."""
    try:
        with file.open("rb") as lines:
            pairs = list(_pairs(lines, file))
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror}. Check the path.") from error
    if not pairs:
        raise InvalidRequest(f"{file} holds no pairs. Write one JSON object a line.")
    for half, is_for_tuning in ((Half.TUNE, True), (Half.REPORT, False)):
        if not any(pair.is_for_tuning is is_for_tuning for pair in pairs):
            raise InvalidRequest(f"{file} has no pairs in the half '{half}'. Add more pairs.")
    return pairs


def _pairs(lines: Iterable[bytes], file: Path) -> Iterator[LabelledPair]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InvalidRequest(
                    f"{file}, line {number} is no labelled pair: {error}. Write "
                    '{"first": "…", "second": "…", "same": true}.'
                ) from error
