"""Which model answers a message that names none."""
