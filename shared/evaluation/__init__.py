"""Measured answers: what they are worth, how sure that is, and what was measured before."""
