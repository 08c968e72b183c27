"""What one part of a turn costs, measured inside one process."""
