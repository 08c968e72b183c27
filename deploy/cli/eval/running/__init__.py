"""A golden set through the door, as a producer would send it, and what came of it."""
