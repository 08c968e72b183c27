"""Values that must not be printed."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit


class Secret:
    """A value that only `reveal` shows; every other way of printing it is masked."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class ServerUrl(str):
    """The address of a server: usable wherever a string is, its password masked in `repr`."""

    __slots__ = ()

    @property
    def redacted(self) -> str:
        """The address with `***` in place of its password."""
        parts = _split(self)
        if parts is None:
            return f"{self.partition('://')[0]}://***"  # whatever it holds cannot be told apart
        if parts.password is None:
            return str.__str__(self)
        address = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{address}"))

    @property
    def scheme(self) -> str:
        parts = _split(self)
        return parts.scheme if parts else ""

    def __repr__(self) -> str:
        return f"ServerUrl({self.redacted!r})"


def has_password(url: str) -> bool:
    """Whether the address carries a password in clear."""
    parts = _split(url)
    return parts is not None and parts.password is not None


def _split(url: str) -> SplitResult | None:
    """Its parts; None for one that is written wrongly, such as http://[::1."""
    try:
        return urlsplit(url)
    except ValueError:
        return None
