"""One frozen tree of settings, read once."""

from shared.settings.load import load_settings
from shared.settings.settings import Settings

__all__ = ["Settings", "load_settings"]
