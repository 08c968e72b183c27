"""`forebay replay`."""
