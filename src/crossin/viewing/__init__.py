"""A run's folder in the browser, on this machine only."""
