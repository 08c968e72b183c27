"""Files that hold keys and passwords: by their name, or by what stands in them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from shared.secrets_in_text import SecretReader

_NAMES: Final = (
    ".env", ".env.*", "*.env", ".netrc", "_netrc", ".pgpass", ".htpasswd", ".git-credentials",
    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks",
    "*.keystore", "*.kdbx", "*.ppk",
)  # fmt: skip
_PATTERNS_FOR_OTHERS: Final = ("*.example", "*.sample", "*.template", "*.dist", "example.env")
"""What shows others how to write such a file holds none."""

_reader = SecretReader()


def is_secret_name(path: str) -> bool:
    """Whether a file of this name is taken for secret without being read."""
    name = PurePosixPath(path).name.lower()
    if any(fnmatchcase(name, pattern) for pattern in _PATTERNS_FOR_OTHERS):
        return False
    return any(fnmatchcase(name, pattern) for pattern in _NAMES)


def line_of_secret(text: str) -> int | None:
    """The first line, from 1, on which an API key, a token or a private key stands; else None."""
    for start, _ in _reader.spans(text):
        return text.count("\n", 0, start) + 1
    return None
