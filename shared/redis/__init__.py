"""Redis: the client, its scripts, and what several rooms keep there."""
