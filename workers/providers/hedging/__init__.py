"""When a call is late, learned from the calls before it."""
