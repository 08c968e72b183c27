"""/v1/vector_stores: collections under OpenAI's name for them."""
