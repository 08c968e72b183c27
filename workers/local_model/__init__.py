"""The local model's own process: llama.cpp's server and a small instruct model, out of wheels."""
