"""What a person is told about what to type: before, and after it went wrong."""
