"""The console in a process of its own: what it does for those who look, no message waits for."""
