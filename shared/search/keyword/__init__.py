"""Passages found by their words on a search server: prefixes, typing errors, code's own words."""
