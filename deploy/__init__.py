"""The roof: the command line and everything that runs the system. Nothing imports it."""
