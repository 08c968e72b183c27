"""From what ends to who is told of it."""
