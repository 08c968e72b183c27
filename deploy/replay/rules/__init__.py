"""What Redis decides by scripts, decided here: a property test holds both equal.

Times are arguments, in seconds of one clock that never runs back. Breakers have their second
implementation in `shared.breakers.rules` already.
"""
