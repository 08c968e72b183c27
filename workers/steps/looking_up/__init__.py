"""What is looked up before a provider is asked."""
