"""Feedback over HTTP: what is said of an answer, and what was."""
