"""The image converter's Lambda functions: JPEG in the source bucket, PNG in the destination bucket."""
