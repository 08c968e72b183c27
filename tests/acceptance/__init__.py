"""What a newcomer types, and real clients, against the real command."""
