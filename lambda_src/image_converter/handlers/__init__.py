"""One module per Lambda function: parse the event, delegate, shape the answer; nothing else."""
