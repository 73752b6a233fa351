"""What parallel instruction data is: reading, joining, filters, duplicates and contamination."""
