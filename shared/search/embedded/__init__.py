"""The embedded engine, in a process of its own: it holds the interpreter while it works."""
