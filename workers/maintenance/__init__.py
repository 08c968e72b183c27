"""Periodic roles, one file each. Every worker process plays them; rows are taken by one of them."""
