"""Who looks and acts in the console."""

from __future__ import annotations

import msgspec

from shared.messages.tenant import KeyScope


class ConsoleUser(msgspec.Struct, frozen=True):
    """The key that somebody logged in with: `role` is its scope, `hint` its last letters."""

    key_id: str
    tenant_id: str
    tenant_name: str
    role: KeyScope
    hint: str


class NewSession(msgspec.Struct, frozen=True):
    """A session in clear, this once: who holds the token is that user."""

    token: str
    user: ConsoleUser
