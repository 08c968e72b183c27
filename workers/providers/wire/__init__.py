"""What travels between an HTTP provider and us: requests, events, answers, and how they fail."""
