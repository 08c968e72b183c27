"""This build beside an older one, both driven by process and HTTP only, so that code may move."""
