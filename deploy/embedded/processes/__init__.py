"""Processes of ours: on a leash, watched, asked whether they are ready."""
