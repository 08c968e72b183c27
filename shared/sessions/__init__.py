"""Who is logged in to the console, and what its keys allow there."""
