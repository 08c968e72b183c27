"""Batches: their files read, their lines made messages, their results written."""
