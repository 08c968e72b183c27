"""What an answer must hold before it leaves: validators, one file each, and their verdict."""
