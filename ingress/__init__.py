"""The door: accepts or refuses a message in milliseconds and never calls a model."""
