"""The day run again: door, dispatch, slots, stored answers and providers, in virtual time."""
