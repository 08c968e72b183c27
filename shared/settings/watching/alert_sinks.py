"""Where messages of alerts go: one struct for each place, whatever its kind."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from shared.settings.secret import Secret, ServerUrl
from shared.settings.units import Port, Positive


class AlertSinkKind(StrEnum):
    """How a message is handed over."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    EMAIL = "email"
    COMMAND = "command"


class MailSecurity(StrEnum):
    """How the way to the mail server is kept secret."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class AlertSinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One place that is told; each has a name of its own."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=48)]
    """What lists and logs call it."""
    kind: AlertSinkKind
    """A signed webhook, a Slack-shaped one, mail, or a command of this machine."""
    url: ServerUrl | None = None
    """`webhook`, `slack`: where to POST."""
    url_env: str | None = None
    """The variable that holds it: a Slack URL is a secret."""
    url_file: str | None = None
    """The file that holds it."""
    secrets_env: tuple[str, ...] = ()
    """`webhook`: the variables that each hold a secret, `whsec_…`; all of them sign, so that a
    receiver may change over.
    """
    secrets_file: tuple[str, ...] = ()
    """`webhook`: the files that each hold one."""
    secrets: tuple[Secret, ...] = ()
    """Filled by `with_secrets`; refused in the file."""
    host: str | None = None
    """`email`: the mail server."""
    port: Port = 587
    """`email`: its port."""
    security: MailSecurity = MailSecurity.STARTTLS
    """`email`: starttls, tls from the first byte on, or none."""
    username: str | None = None
    """`email`: whom to log in as; nobody logs in without."""
    password_env: str | None = None
    """`email`: the variable that holds the password."""
    password_file: str | None = None
    """`email`: the file that holds it."""
    password: Secret | None = None
    """Filled by `with_secrets`; refused in the file."""
    sender: str | None = None
    """`email`: the address it comes from."""
    recipients: tuple[str, ...] = ()
    """`email`: the addresses it goes to."""
    argv: tuple[str, ...] = ()
    """`command`: the program and its arguments, run without a shell; the message is JSON on its
    standard input.
    """
    timeout_seconds: Positive = 10.0
    """For one try; a command that takes longer is ended."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the sink, with its fix."""
        for fault in _faults(self):
            yield f"alerts.sinks: '{self.name}' is of kind {self.kind} and {fault}"


def is_signing_secret(text: str) -> bool:
    """Whether it is a secret as Standard Webhooks has it."""
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        return False
    return text.startswith(_PREFIX) and 24 <= len(key) <= 64


def _faults(sink: AlertSinkSettings) -> Iterator[str]:
    yield from (f"has no {key}. Set it." for key in _NEEDS[sink.kind] if not getattr(sink, key))
    named = [key for key in ("url", "url_env", "url_file") if getattr(sink, key)]
    if sink.kind in _POSTED and len(named) != 1:
        yield (f"names {' and '.join(named) or 'no URL'}. Set one of url, url_env and url_file.")
    for kinds, keys in _ONLY.items():
        for key in keys:
            if sink.kind not in kinds and getattr(sink, key):
                yield f"has {key}, which only {' and '.join(kinds)} takes. Remove it."
    if sink.kind is AlertSinkKind.EMAIL:
        yield from _login_faults(sink)
    if sink.kind is AlertSinkKind.WEBHOOK and not (sink.secrets_env or sink.secrets_file):
        yield (
            "has no secret to sign with. Name variables in secrets_env or files in secrets_file."
        )


def _login_faults(sink: AlertSinkSettings) -> Iterator[str]:
    has_password = bool(sink.password_env or sink.password_file)
    if sink.username and not has_password:
        yield "has a username and no password. Set password_env or password_file."
    if has_password and not sink.username:
        yield "has a password and nobody to log in as. Set username."
    if has_password and sink.security is MailSecurity.NONE:
        yield "would send its password in plain text. Set security to starttls or tls."


_PREFIX: Final = "whsec_"
_POSTED: Final = (AlertSinkKind.WEBHOOK, AlertSinkKind.SLACK)
_NEEDS: Final = {
    AlertSinkKind.WEBHOOK: (),
    AlertSinkKind.SLACK: (),
    AlertSinkKind.EMAIL: ("host", "sender", "recipients"),
    AlertSinkKind.COMMAND: ("argv",),
}
_ONLY: Final = {
    _POSTED: ("url", "url_env", "url_file"),
    (AlertSinkKind.WEBHOOK,): ("secrets_env", "secrets_file"),
    (AlertSinkKind.EMAIL,): (
        "host",
        "username",
        "password_env",
        "password_file",
        "sender",
        "recipients",
    ),
    (AlertSinkKind.COMMAND,): ("argv",),
}
