"""Other shapes of the same message and the same answer: read into one body, told from one record.

A batch's lines have them as much as what comes to the door.
"""
