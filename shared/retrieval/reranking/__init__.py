"""A second look at what was found, by a model that reads each passage with the question."""
