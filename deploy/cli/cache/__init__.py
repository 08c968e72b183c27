"""Verbs of `forebay cache`."""
