"""Answers to producers that wait at a queue of their own."""
