"""Learning curves as they are read: measures, tables and pictures."""
