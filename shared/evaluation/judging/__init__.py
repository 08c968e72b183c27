"""Judges: models that say whether an answer meets a rubric, and how far people agree with them."""
