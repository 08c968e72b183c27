"""What can wait, handed to providers as batches of their own, and taken back in time."""
