"""E-mail addresses, in letters of the Latin scripts."""

from __future__ import annotations

from typing import Final

LATIN: Final = "A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f"
"""Letters with accents too, composed or not, and digits: a class of `re` and of RE2."""
EMAIL: Final = rf"[{LATIN}._%+-]+@[{LATIN}-]+(?:\.[{LATIN}-]+)+"
