"""`forebay check --production`: is it ready for real callers, as far as it has been shown?"""
