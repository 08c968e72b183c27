"""What is searched: passages with their vectors and words, in one store or another."""
