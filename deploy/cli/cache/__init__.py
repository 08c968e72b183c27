"""`forebay cache`: stored answers."""
