# Region, credentials and endpoints come from the environment (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, ...): the
# same files deploy to AWS and to the local AWS.
provider "aws" {
  default_tags {
    tags = merge({ Project = var.name, ManagedBy = "terraform" }, var.tags)
  }
}
