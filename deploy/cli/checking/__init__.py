"""The questions of `forebay check`, one server each."""
