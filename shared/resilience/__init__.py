"""How calls survive: groups, patience, retries, tasks that are kept running."""
