"""What the files of a mapping say: read, checked word by word, and made ready to run."""
