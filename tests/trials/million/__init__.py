"""Very many messages through the whole stack in one go, and an account of every one."""
