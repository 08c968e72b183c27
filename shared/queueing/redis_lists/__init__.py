"""Redis as broker, in the format of kombu's own transport: a queue is a list of JSON envelopes."""
