"""One document on its way: held, fetched, planned, embedded, and what becomes of it."""
