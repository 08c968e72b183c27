"""`forebay send`: messages to a door over HTTP, and their answers."""
