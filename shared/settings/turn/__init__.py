"""The sections that shape one turn."""
