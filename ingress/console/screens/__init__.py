"""What each screen shows and does."""
