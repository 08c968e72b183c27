"""Batches of the providers: many requests handed over at once, answered within a day, cheaper."""
