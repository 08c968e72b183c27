"""What every benchmark stands on: real servers, and processes whose cost can be read."""
