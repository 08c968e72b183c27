"""A late call and the one that is made beside it."""
