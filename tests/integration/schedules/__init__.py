"""From a time that comes to a job that begins, once."""
