"""`forebay route`: which model a message would get, and what that saves."""
