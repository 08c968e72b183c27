"""Whether a request was sent by the console's own page, and by no other."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from ingress.api.http.exchange import Exchange
from shared.errors import Forbidden

_SAFE: Final = frozenset({"GET", "HEAD"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})


def acts(exchange: Exchange) -> bool:
    """Whether it may change something."""
    return exchange.method not in _SAFE


def check_origin(exchange: Exchange, public_url: str | None) -> None:
    """Raises Forbidden for a request that a browser says another page has sent.

    What no browser sends says nothing of pages, and needs no protection from them.
    """
    site = exchange.header(b"sec-fetch-site")
    if site is not None and site not in _OWN_SITES:
        raise _another_page()
    origin = exchange.header(b"origin")
    if origin is not None and urlsplit(origin).netloc.lower() not in _hosts(exchange, public_url):
        raise _another_page()


def is_secure(exchange: Exchange, public_url: str | None) -> bool:
    """Whether the browser has come by TLS, as far as can be told behind a proxy."""
    told = exchange.header(b"x-forwarded-proto")
    return told == "https" or (public_url or "").startswith("https:")


def _hosts(exchange: Exchange, public_url: str | None) -> set[str]:
    hosts = {(exchange.header(b"host") or "").lower(), urlsplit(public_url or "").netloc.lower()}
    return hosts - {""}  # "null" has none: a page of no origin is another one


def _another_page() -> Forbidden:
    return Forbidden(
        "Another page than the console has sent this. Behind a proxy that changes the Host header, "
        "say how browsers know the door: 'ingress.public_url'."
    )
