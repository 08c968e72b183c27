"""Batches of either API: taken, run after a while, and gone wrong as the script says."""
