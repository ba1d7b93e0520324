"""What only this project's developers run: benchmarks, load, checks, documents."""
