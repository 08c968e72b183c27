"""/v1/messages/batches: batches as Anthropic's clients ask for them."""
