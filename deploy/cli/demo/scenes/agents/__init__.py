"""What agents send beside a question: tools, pictures, structures and conversations."""
