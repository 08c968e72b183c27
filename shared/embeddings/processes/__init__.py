"""Models in processes of their own, so that no event loop ever waits for one."""
