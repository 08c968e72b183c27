"""Whether what the settings ask of an extra is installed."""

from __future__ import annotations

from deploy.cli.check.finding import CheckFinding, fault, hint
from shared.embeddings.extra import encoder_missing
from shared.errors import SettingsError
from shared.settings import Settings


def check_extras(settings: Settings) -> list[CheckFinding]:
    """A hint where the semantic cache stays off, a fault for a tokenizer that cannot be read.

    Nothing is said of what the settings do not ask for.
    """
    findings = []
    if settings.caching.semantic.enabled and (reason := encoder_missing()):
        findings.append(hint("caching", reason))
    if settings.context.tokenizers:
        findings += _unread_tokenizers(settings)
    return findings


def _unread_tokenizers(settings: Settings) -> list[CheckFinding]:
    from workers.context.tokens import Counters

    try:
        Counters(settings.context.tokenizers)
    except SettingsError as error:
        return [fault("context", each) for each in error.findings]
    return []
