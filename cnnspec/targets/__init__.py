"""Other forms of a network: PyTorch, ONNX (out and in), JAX, a NumPy module, the text of a spec."""
