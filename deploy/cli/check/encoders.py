"""Can the encoders that the settings name be used? A server is asked for one vector, if at all."""

from __future__ import annotations

from pathlib import Path

from deploy.cli.check.finding import CheckFinding, fine, hint
from shared.embeddings.cards import EncoderRole, card_of, settings_of
from shared.embeddings.encoder import DualEncoders, EncoderUnavailable
from shared.embeddings.extra import kind_missing
from shared.embeddings.opening import open_encoders
from shared.errors import SettingsError
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.encoder import EncoderSettings


async def check_encoders(settings: EmbeddingSettings, *, ask: bool) -> list[CheckFinding]:
    """One finding for each that is not the shipped model as it comes; `ask` makes a vector."""
    named = [role for role in EncoderRole if settings_of(settings, role) != EncoderSettings()]
    if not named:
        return []
    try:
        async with open_encoders(settings, processes=1) as encoders:
            return [
                _finding(settings, role, await _problem(settings, role, encoders, ask=ask))
                for role in named
            ]
    except SettingsError as error:
        return [hint("embeddings", f"{each} Nothing is embedded by it.") for each in error.findings]


async def _problem(
    settings: EmbeddingSettings, role: EncoderRole, encoders: DualEncoders, *, ask: bool
) -> str | None:
    one = settings_of(settings, role)
    if reason := kind_missing(one.kind):
        return reason
    if reason := _no_folder(one):
        return reason
    if not ask:
        return None
    encoder = encoders.code if role is EncoderRole.CODE else encoders.text
    try:
        await encoder.encode(["a text"])
    except EncoderUnavailable as error:
        return error.message
    return None


def _no_folder(settings: EncoderSettings) -> str | None:
    if settings.folder is None or Path(settings.folder).is_dir():
        return None
    return f"its folder '{settings.folder}' is not there. Mend the path."


def _finding(settings: EmbeddingSettings, role: EncoderRole, problem: str | None) -> CheckFinding:
    card = card_of(settings, role)
    if problem is not None:
        return hint("embeddings", f"embeddings.{role} ({card.name}): {problem}")
    return fine(
        "embeddings",
        f"{role}: {card.name}, {card.dimensions} numbers, {card.token_limit} tokens.",
    )
