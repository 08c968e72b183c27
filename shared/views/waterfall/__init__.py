"""Where the time of one message went, and why it waited."""
