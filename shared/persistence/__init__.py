"""What must survive: one database, one repository for each aggregate."""
