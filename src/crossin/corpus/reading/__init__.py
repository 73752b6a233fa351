"""Reading instruction data of every usual form: from files and datasets to checked columns of text."""
