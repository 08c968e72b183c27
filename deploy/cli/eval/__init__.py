"""`forebay eval`: what the index is worth."""
