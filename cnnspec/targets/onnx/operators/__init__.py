"""What each ONNX operator is in our words."""
