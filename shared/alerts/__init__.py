"""Alerts: rules over named figures, what became of each alert, and who is to be told."""
