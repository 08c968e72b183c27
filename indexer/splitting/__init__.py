"""Documents in pieces that are embedded and found one by one."""
