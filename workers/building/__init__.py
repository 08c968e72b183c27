"""How one worker is put together from its settings."""
