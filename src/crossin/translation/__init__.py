"""Translates rows of one language into parallel rows of others, and checks them."""
