"""What translates: a chat server, or a sequence-to-sequence model in this process."""
