"""`forebay eval` before a whole stack with a scripted model."""
