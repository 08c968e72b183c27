"""Chat completions, as OpenAI's clients write and read them."""
