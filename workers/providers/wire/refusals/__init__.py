"""What providers say when they refuse, and what it means."""
