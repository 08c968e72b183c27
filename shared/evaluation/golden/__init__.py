"""Golden sets: messages, and what is expected of their answers."""
