"""Bodies as callers write them, and the way from each into the one body."""
