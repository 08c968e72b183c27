"""Figures over time: appended with each end, folded by one leader, read by whoever looks."""
