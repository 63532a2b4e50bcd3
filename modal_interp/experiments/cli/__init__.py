"""Files and flags in: the command line's data, estimators and settings."""
