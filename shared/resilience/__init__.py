"""How calls survive: groups, deadlines, retries, breakers."""
