"""Schedules: jobs that begin by themselves at times of a zone, once for each time."""
