"""Feedback as a caller gives it: to a door, over HTTP."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import msgspec

from deploy.cli.connection import door_and_key
from shared.errors import InvalidRequest, Unavailable
from shared.surfaces.refused_by_door import refuse

_SECONDS: Final = 30.0
_WORDS: Final = {"yes": True, "true": True, "no": False, "false": False}
_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]+)?"
_SCALE: Final = re.compile(rf"({_NUMBER})\.\.({_NUMBER})")


def body_of(
    value: str, *, name: str, source: str, comment: str | None, scale: str | None
) -> dict[str, Any]:
    """The body of the request; raises InvalidRequest for a scale that is none."""
    body: dict[str, Any] = {"name": name, "source": source, "value": _value(value)}
    if comment is not None:
        body["comment"] = comment
    if scale is not None:
        ends = _SCALE.fullmatch(scale)
        if ends is None:
            raise InvalidRequest(f"'{scale}' is no scale. Write --scale 1..5, the worst first.")
        body["scale"] = {"min": float(ends[1]), "max": float(ends[2])}
    return body


async def give(
    answer: str, body: dict[str, Any], *, url: str | None, key: str | None
) -> dict[str, Any]:
    """What is kept. Raises RefusedByDoor, Unavailable, InvalidRequest."""
    address, secret = door_and_key(url, key)
    path = f"{address.rstrip('/')}/v1/responses/{quote(answer, safe='')}/feedback"
    headers = {"Authorization": f"Bearer {secret}"}
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
            session.post(path, json=body) as response,
        ):
            await refuse(response)
            kept: dict[str, Any] = msgspec.json.decode(await response.read())
            return kept
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(
            f"Nobody answers at {address}: start Forebay with `forebay up`, or set FOREBAY_URL."
        ) from error


def _value(text: str) -> bool | float | str:
    if text in _WORDS:
        return _WORDS[text]
    return float(text) if re.fullmatch(_NUMBER, text) else text
