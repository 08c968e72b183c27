"""Outcomes: what conversations came to, and what a success cost."""
