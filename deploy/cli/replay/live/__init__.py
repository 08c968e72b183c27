"""Messages of a recorded time, asked once more of another model; their answers are dropped."""
