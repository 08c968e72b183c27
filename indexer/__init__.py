"""Turns documents into searchable chunks."""
