"""What a translation must pass before it is kept."""
