# The whole pipeline: an image in the source bucket is copied, converted and recorded, and then deleted from there. There
# is one file for each concern; the modules create the resources.

# There is no provider block, so that other configurations can call this one as a module. As a root, it takes region,
# credentials and endpoints from the environment (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, ...): the same files deploy
# to AWS and to the local AWS.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # The budget and the deployer's policy identify this stack by Project.
  tags = merge({ Project = var.name, ManagedBy = "terraform" }, var.tags)
}
