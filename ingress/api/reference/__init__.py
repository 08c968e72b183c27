"""What the surface is, for those who read about it."""
