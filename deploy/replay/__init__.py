"""A recorded or generated day through other settings, in virtual time and without a call."""
