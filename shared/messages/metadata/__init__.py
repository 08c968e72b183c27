"""What producers attach to a message in its metadata."""
