"""Summaries of what is too old to be kept whole: made once, by the cheap model, and cached."""
