"""What the console costs: how soon its screens have their data, and what the door has of it."""
