# A stack for photographs that are already somewhere: it converts what is uploaded to an existing bucket from now on, keeps
# everything there, and announces them by events. Nothing about the bucket changes.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

provider "aws" {}

module "image_converter" {
  source = "../.."

  name          = var.name
  package_dir   = var.package_dir
  force_destroy = var.force_destroy

  existing_source_bucket             = var.bucket
  existing_source_bucket_kms_key_arn = var.bucket_kms_key_arn
  source_after                       = "keep" # must be set for an existing bucket
  other_types                        = "keep"
  source_filter                      = { prefixes = ["albums/"] }

  events = { bus = "default" }
}
