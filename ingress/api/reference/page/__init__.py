"""The page at /docs: static files, nothing from elsewhere."""
