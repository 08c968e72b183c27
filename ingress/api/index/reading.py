"""What several requests to the index say, and how they are told what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import msgspec

from shared.errors import InvalidRequest

Description = Annotated[str, msgspec.Meta(max_length=4_096)]


@contextmanager
def in_words_of(places: Mapping[str, str]) -> Iterator[None]:
    """While inside, an InvalidRequest names a field as the caller wrote it."""
    try:
        yield
    except InvalidRequest as error:
        for ours, theirs in places.items():
            if error.param is not None and error.param.startswith(ours):
                param = theirs + error.param.removeprefix(ours)
                message = error.message.replace(error.param, param)
                raise InvalidRequest(message, param=param, kind=error.kind) from None
        raise
