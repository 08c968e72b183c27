"""Finds an answer that was given to a question of the same meaning."""
