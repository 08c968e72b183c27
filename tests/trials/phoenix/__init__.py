"""Phoenix, installed and started for the trial."""
