"""`forebay check`: the questions to each server, and what they found."""
