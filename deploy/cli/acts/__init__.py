"""Which commands change something, and how these come into the audit log."""
