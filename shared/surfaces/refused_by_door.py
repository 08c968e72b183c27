"""What a client of the door makes of an answer that is an error."""

from __future__ import annotations

import aiohttp
import msgspec

from shared.errors import ForebayError


class RefusedByDoor(ForebayError):
    """The door said no, and why."""

    code = "refused"

    def __init__(self, message: str, *, status: int, retry_after_seconds: float | None) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.status = status

    @property
    def is_for_now(self) -> bool:
        """Whether the same message may be let in later."""
        return self.status in {429, 503} and self.retry_after_seconds is not None


async def refuse(response: aiohttp.ClientResponse) -> None:
    """Raises RefusedByDoor for an answer that is an error."""
    if response.status < 400:
        return
    try:
        said = msgspec.json.decode(await response.read())
        message = str(said["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        message = f"The door answered with HTTP status {response.status}."
    raise RefusedByDoor(message, status=response.status, retry_after_seconds=_retry_after(response))


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    try:
        return float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
