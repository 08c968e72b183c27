"""Qdrant's server, over its REST interface."""
