"""The image converter's Lambda functions: a PNG for every JPEG in the source bucket."""
