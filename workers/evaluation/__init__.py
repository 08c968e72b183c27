"""Answers of golden sets held against what is expected of them."""
