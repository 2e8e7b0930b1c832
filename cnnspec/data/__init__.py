"""Images to learn from: read, checked, split, and fed batch by batch."""
