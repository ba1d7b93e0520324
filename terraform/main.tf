# The whole pipeline: an image in the source bucket is copied, converted and recorded, and then deleted from there. There
# is one file for each concern; the modules create the resources.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}
