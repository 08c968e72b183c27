"""One frozen tree of settings, read once."""

from shared.settings.loading.load import load_settings
from shared.settings.loading.secrets import with_secrets
from shared.settings.settings import Settings

__all__ = ["Settings", "load_settings", "with_secrets"]
