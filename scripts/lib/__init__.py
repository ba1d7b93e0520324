"""What the other folders share. Nothing here is run, and nothing here imports from them."""
