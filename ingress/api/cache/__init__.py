"""What a tenant does to its stored answers."""
