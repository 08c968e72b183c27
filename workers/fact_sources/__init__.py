"""Where facts are looked up: one source for each kind, asked once a turn."""
