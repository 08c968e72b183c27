"""Where requests go and what each of them begins with, put together once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

from yarl import URL

from workers.providers.wire.http.connection import HttpConnection


class HttpOrigin(NamedTuple):
    """A server, as connections to it are told apart."""

    host: str
    port: int
    is_secure: bool


@dataclass(frozen=True, slots=True)
class Target:
    """An address that is asked again and again, with the same headers."""

    origin: HttpOrigin
    head: bytes
    """Of every request, but for its length, its trace and the blank line."""
    is_kept: bool
    """Whether a connection may serve another request."""
    free: list[HttpConnection]
    """Those to its origin that nobody uses, the one used last at the end."""

    @classmethod
    def of(
        cls,
        url: URL,
        headers: Mapping[str, str],
        free: Callable[[HttpOrigin], list[HttpConnection]],
        *,
        method: str = "POST",
    ) -> Self:
        """Of two headers of one name, however written, the last counts; so does a header before
        the name and password of the address. Raises `ValueError` for what would end a line."""
        named = {
            "host": ("Host", url.host_port_subcomponent or ""),
            "authorization": ("Authorization", _credentials(url)),
        }
        named |= {name.lower(): (name, value) for name, value in headers.items()}
        lines = [f"{method} {url.raw_path_qs} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in named.values() if value]
        if any(set(line) & set("\r\n\0") for line in lines):
            raise ValueError("a header cannot hold the end of a line")
        _, connection = named.get("connection", ("", ""))
        origin = HttpOrigin(url.raw_host or "", url.port or 0, url.scheme == "https")
        return cls(
            origin=origin,
            head="".join([f"{line}\r\n" for line in lines]).encode(),
            is_kept=connection.strip().lower() != "close",
            free=free(origin),
        )


def _credentials(url: URL) -> str:
    if url.user is None and url.password is None:
        return ""
    known = f"{url.user or ''}:{url.password or ''}".encode()
    return f"Basic {b64encode(known).decode()}"
