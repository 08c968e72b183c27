"""How many tokens a text has, by a model's own tokenizer or by an estimate."""
