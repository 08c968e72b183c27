"""SQLite under SQLAlchemy: its connections, each in a thread of its own."""
