"""The settings of `train`, `data` and `expect`: dataclasses whose fields are the syntax."""
