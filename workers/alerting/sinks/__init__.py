"""Places that are told of alerts, one file for each way of telling."""
