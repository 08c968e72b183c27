"""`forebay webhooks`: the command, what it asks for, and how it shows it."""
