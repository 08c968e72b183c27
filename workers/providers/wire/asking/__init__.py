"""Prompts in the words of each API: what is more than plain text."""
