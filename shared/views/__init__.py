"""What people look at: the command line and the console read it here, in one way."""
