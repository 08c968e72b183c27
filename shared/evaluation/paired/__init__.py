"""Two runs on the same cases: figures with intervals, their difference, and what it allows."""
