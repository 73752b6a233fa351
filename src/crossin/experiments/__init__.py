"""Several arms down the same road: the same model tuned in different ways and compared on the same items."""
