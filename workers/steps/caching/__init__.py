"""Before the answer a look into the cache, after the reply a place in it."""
