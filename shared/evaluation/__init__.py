"""Figures of quality: what was measured, how sure it is, and how it compares with the last time."""
