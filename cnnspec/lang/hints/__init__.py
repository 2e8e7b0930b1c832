"""What was probably meant: syntax hints, nearest words, fixes that have been tried, warnings."""
