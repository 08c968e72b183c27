"""The agent pool: answers messages."""
