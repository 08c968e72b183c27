"""What spans say of a message: whose it is, and how it ended."""
