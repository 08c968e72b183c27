"""What a run came to, beside the day as it was."""
