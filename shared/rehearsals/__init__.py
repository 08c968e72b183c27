"""Bad days on purpose, on a running system, for a stated time."""
