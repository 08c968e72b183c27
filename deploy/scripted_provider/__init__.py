"""A provider that is not a model: it answers by a script, and misbehaves as the script says."""
