"""Settings of what watches: alerts, and what judges answers."""
