"""Translators: a chat model behind a server, and sequence-to-sequence models in this process."""
