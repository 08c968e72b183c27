"""Messages, as Anthropic's clients write and read them."""
