"""Figures of the whole system for its screens, read from aggregates and never from messages."""
