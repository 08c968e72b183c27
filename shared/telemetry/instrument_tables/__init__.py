"""The metrics of each part, which `instruments` puts together."""
