"""Fair queueing among the tenants of one lane."""
