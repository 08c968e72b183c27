"""Measures on labelled pairs of questions what the semantic cache would serve wrongly."""
