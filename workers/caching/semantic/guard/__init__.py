"""Tells questions apart that look alike to an encoder and ask for different answers."""
