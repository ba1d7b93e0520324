"""One module per Lambda function: parse the event, delegate, shape the answer; nothing else."""

from image_converter import cold_start

cold_start.begin()
