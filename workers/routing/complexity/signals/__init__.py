"""One sign of difficulty each, 0 to 1."""
