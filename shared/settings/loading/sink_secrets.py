"""The secrets of one place that is told of alerts."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from shared.settings.secret import Secret, ServerUrl
from shared.settings.watching.alert_sinks import AlertSinkSettings, is_signing_secret

Find = Callable[[str, str, str, str | None, str | None], str | None]
"""Of whom, what, under which key; the variable or the file that holds it: its text."""


def with_secrets_of_sink(
    sink: AlertSinkSettings, find: Find, findings: list[str]
) -> AlertSinkSettings:
    """The sink with its secrets in place; a sentence in `findings` for each that is no use."""
    owner = f"alerts.sinks: '{sink.name}'"
    url = find(owner, "URL", "url", sink.url_env, sink.url_file)
    named = [(variable, None) for variable in sink.secrets_env]
    filed = [(None, file) for file in sink.secrets_file]
    signing = [find(owner, "secret", "secrets", *where) for where in (*named, *filed)]
    password = find(owner, "password", "password", sink.password_env, sink.password_file)
    if any(each and not is_signing_secret(each) for each in signing):
        findings.append(
            f"{owner} has a secret that cannot sign. Write whsec_ and 24 to 64 bytes in base64."
        )
    return msgspec.structs.replace(
        sink,
        url=ServerUrl(url) if url else sink.url,
        secrets=tuple(Secret(each) for each in signing if each),
        password=Secret(password) if password else None,
    )
