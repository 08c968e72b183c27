"""Questions with known answers, made from what lies on this machine."""
