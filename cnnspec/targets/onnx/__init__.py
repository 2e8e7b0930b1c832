"""ONNX models: written, read, and run."""
