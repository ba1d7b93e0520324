# The whole pipeline: an image that lands in the source bucket is converted, copied, written down and cleaned up. One
# file for each concern; what is made stands in modules.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}
