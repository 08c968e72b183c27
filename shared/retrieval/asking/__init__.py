"""Asking the legs: each within its time, side by side, and what they say as one list."""
