"""What `train`, `data` and `expect` may say: dataclasses whose fields are the syntax."""
