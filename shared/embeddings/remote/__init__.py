"""Models that a server runs, behind OpenAI's `/embeddings`."""
