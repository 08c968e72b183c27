"""Batches: many requests in one file, answered by a deadline, and what became of each line."""
