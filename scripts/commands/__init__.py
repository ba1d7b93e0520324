"""What the operator of a stack runs against it, on AWS or on the local AWS."""
