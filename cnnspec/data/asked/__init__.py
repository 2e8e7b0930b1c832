"""What a trained network is asked about, read and brought to what it takes."""
