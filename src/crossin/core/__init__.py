"""What every package uses: errors, files, settings, stages, the cache, seeded draws and progress."""
