"""What operators do with messages, one way for the command line and for the console."""
