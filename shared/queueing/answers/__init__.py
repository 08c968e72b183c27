"""Answers that leave over a queue: to whom, how they are published, the box they come to."""
