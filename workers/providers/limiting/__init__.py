"""What our own limits and the providers' leave free, for the whole fleet."""
