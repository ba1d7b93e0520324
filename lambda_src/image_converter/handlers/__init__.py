"""One module per Lambda function: it parses the event, delegates and shapes the answer."""

from image_converter import cold_start

cold_start.begin()
