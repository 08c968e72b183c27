"""What an embedded stack keeps on disk, all in one folder."""
