"""Sending messages to a door over HTTP, and hearing its answers."""
