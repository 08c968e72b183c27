"""Faults under load, and the account of every accepted message against what became of it."""
