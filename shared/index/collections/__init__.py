"""Collections: making and finding them, the generations that they are built in, and their end."""
