"""What others get: model cards, and uploads to the hub."""
