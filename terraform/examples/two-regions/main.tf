# One stack for each team, in two regions. A module call has one provider, so there is one call for each region; with
# for_each, each of them makes several stacks.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

provider "aws" {
  alias  = "frankfurt"
  region = "eu-central-1"
}

provider "aws" {
  alias  = "virginia"
  region = "us-east-1"
}

module "frankfurt" {
  source   = "../.."
  for_each = var.teams

  name          = "${each.key}-images"
  package_dir   = var.package_dir
  force_destroy = var.force_destroy
  tags          = { Team = each.key }

  providers = {
    aws = aws.frankfurt
  }
}

# Roles, dashboards and budgets have the region in their names, so both calls can use the same names. These stacks only take
# uploads to the bucket, and somebody else watches them.
module "virginia" {
  source   = "../.."
  for_each = var.teams

  name              = "${each.key}-images"
  package_dir       = var.package_dir
  force_destroy     = var.force_destroy
  tags              = { Team = each.key }
  create_dashboard  = false
  create_alarms     = false
  create_upload_api = false

  providers = {
    aws = aws.virginia
  }
}
