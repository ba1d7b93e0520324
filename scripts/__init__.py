"""Tasks around the pipeline, each run as `python -m scripts.NAME`."""
