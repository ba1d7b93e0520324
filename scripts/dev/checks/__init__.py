"""Static checks of the definition and of the Terraform configuration, part of `make test`."""
