"""Tasks around the pipeline: packages, the local AWS, the demo. Run one as `python -m scripts.NAME`."""
