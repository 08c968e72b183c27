"""all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0): its words, its weights, one run of it.

`vocab.txt` is the vocabulary it was trained with, that of bert-base-uncased (Apache-2.0).
"""
