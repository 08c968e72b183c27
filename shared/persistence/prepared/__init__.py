"""Statements that run for every group of messages, as constant text with no layer in between."""
