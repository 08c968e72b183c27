"""What a form says of the file in it: its name, its purpose, how long it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from ingress.api.http.query import whole_number
from shared.errors import InvalidRequest, use_one_of
from shared.files.stored_file import LONGEST_FILENAME, FileLabel, FilePurpose

FILE: Final = "file"
PURPOSE: Final = "purpose"
ANCHOR: Final = "expires_after[anchor]"
SECONDS: Final = "expires_after[seconds]"
FIELDS: Final = frozenset({FILE, PURPOSE, ANCHOR, SECONDS})

_FEWEST_SECONDS: Final = 3_600
_MOST_SECONDS: Final = 2_592_000


def file_label(filename: str, fields: Mapping[str, str]) -> FileLabel:
    """The label of a file; raises InvalidRequest that names the field at fault."""
    return FileLabel(filename, purpose(fields), _life(fields))


def purpose(fields: Mapping[str, str]) -> FilePurpose:
    """What the file is for."""
    word = fields.get(PURPOSE)
    if word is None:
        raise InvalidRequest(f"'{PURPOSE}' is missing. {_ONE_OF}", param=PURPOSE)
    given = read_purpose(word)
    if not given.is_uploaded:
        raise InvalidRequest(
            f"'{PURPOSE}' is '{given}', which only files have that we made. {_ONE_OF}",
            param=PURPOSE,
        )
    return given


def read_purpose(word: str) -> FilePurpose:
    """The purpose of that name; raises InvalidRequest."""
    try:
        return FilePurpose(word)
    except ValueError:
        raise InvalidRequest(f"'{word[:64]}' is no purpose. {_ONE_OF}", param=PURPOSE) from None


def read_filename(filename: str | None) -> str:
    """The name to keep; raises InvalidRequest."""
    if not filename:
        raise InvalidRequest(f"'{FILE}' has no filename. Give it one.", param=FILE)
    if len(filename) > LONGEST_FILENAME or not filename.isprintable():
        raise InvalidRequest(
            f"The filename of '{FILE}' must be 1 to {LONGEST_FILENAME} printable characters.",
            param=FILE,
        )
    return filename


def _life(fields: Mapping[str, str]) -> timedelta | None:
    anchor, seconds = fields.get(ANCHOR), fields.get(SECONDS)
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        raise InvalidRequest(f"'{ANCHOR}' must be created_at.", param=ANCHOR)
    until = whole_number(seconds or "", SECONDS, least=_FEWEST_SECONDS, most=_MOST_SECONDS)
    return timedelta(seconds=until)


_ONE_OF: Final = f"{use_one_of([each for each in FilePurpose if each.is_uploaded])}."
