"""What operators and admin keys did: append-only, and each entry bound to all before it."""
