"""Reading which option a reply in free text chooses, in any language, without chance."""

from crossin.items.replies.reading import read_reply

__all__ = ["read_reply"]
