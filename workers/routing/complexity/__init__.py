"""How hard a message is, by its look alone."""
