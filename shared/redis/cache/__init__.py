"""Answers kept to be given again, and the flights that several messages share."""
