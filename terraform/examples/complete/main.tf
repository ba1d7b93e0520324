# A stack in an account whose owner prescribes what a stack may use: its own key, alarm topic and bucket for access logs, a
# permissions boundary and a path for roles. It also admits another account, and uploads from a web page. A queue
# receives an event for each image that is done or failed.

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

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  logs      = "${var.name}-logs-${local.account}"
}

module "image_converter" {
  source = "../.."

  name        = var.name
  package_dir = var.package_dir
  tags        = { CostCentre = "4711" }

  # The ARNs of key and topic are only known after apply; hence the switches.
  create_kms_key           = false
  kms_key_arn              = aws_kms_key.images.arn
  create_alarm_topic       = false
  alarm_topic_arn          = aws_sns_topic.on_call.arn
  access_logs_bucket       = local.logs
  role_path                = "/pictures/"
  permissions_boundary_arn = aws_iam_policy.boundary.arn
  trusted_account_ids      = var.trusted_account_ids

  upload_cors_origins = var.upload_cors_origins
  source_filter       = { suffixes = [".jpg", ".jpeg", ".JPG"] }
  source_after        = "keep"
  functions           = { resize_image = { memory_mb = 3008 } }
  events              = { bus = "default" }
  force_destroy       = var.force_destroy
}

# The key's policy leaves decisions to IAM, and has the statements that the module asks for.
resource "aws_kms_key" "images" {
  description         = "Images of ${var.name}"
  enable_key_rotation = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "AccountDecidesByItsOwnPolicies"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      }],
      module.image_converter.kms_key_statements,
    )
  })
}

resource "aws_sns_topic" "on_call" {
  name              = "${var.name}-on-call"
  kms_master_key_id = aws_kms_key.images.arn
}

resource "aws_sns_topic_policy" "on_call" {
  arn    = aws_sns_topic.on_call.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = module.image_converter.alarm_topic_statements })
}

# The module's own kind of bucket serves for the logs of several stacks.
module "logs" {
  source = "../../modules/bucket"

  name                               = local.logs
  noncurrent_version_expiration_days = 30
  expiration_days                    = 365
  force_destroy                      = true # S3 writes to it until the logged buckets are gone

  policy_statements = [{
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    sid        = "AccessLogsOfThisAccount"
    effect     = "Allow"
    principals = { Service = ["logging.s3.amazonaws.com"] }
    actions    = ["s3:PutObject"]
    resources  = ["arn:${local.partition}:s3:::${local.logs}/*"]
    condition  = { StringEquals = { "aws:SourceAccount" = [local.account] } }
  }]
}

# Whoever waits for images reads this queue. EventBridge sends it the events of this stack, by their source.
resource "aws_cloudwatch_event_rule" "images" {
  name          = "${var.name}-images"
  description   = "Images of ${var.name} that are done or failed"
  event_pattern = jsonencode({ source = [var.name] })
}

resource "aws_cloudwatch_event_target" "images" {
  rule = aws_cloudwatch_event_rule.images.name
  arn  = aws_sqs_queue.images.arn
}

resource "aws_sqs_queue" "images" {
  name                    = "${var.name}-images"
  sqs_managed_sse_enabled = true
}

resource "aws_sqs_queue_policy" "images" {
  queue_url = aws_sqs_queue.images.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventsOfTheRule"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.images.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.images.arn } }
    }]
  })
}

# What the roles of the stack may do at most: use these services, and nothing of IAM.
resource "aws_iam_policy" "boundary" {
  # checkov:skip=CKV_AWS_288:A boundary grants nothing; the policies of the roles do, for exact resources
  # checkov:skip=CKV_AWS_289:A boundary grants nothing; the policies of the roles do, for exact resources
  # checkov:skip=CKV_AWS_290:A boundary grants nothing; the policies of the roles do, for exact resources
  # checkov:skip=CKV_AWS_355:A boundary grants nothing; the policies of the roles do, for exact resources
  name        = "${var.name}-boundary"
  description = "The most that roles of ${var.name} may do"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "ServicesOfThePipeline"
      Effect = "Allow"
      Action = [
        "dynamodb:PutItem",
        "events:PutEvents",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "lambda:InvokeFunction",
        "logs:*",
        "s3:*Object*",
        "s3:AbortMultipartUpload",
        "s3:ListBucket*",
        "sqs:*Message*",
        "sqs:GetQueueAttributes",
        "states:DescribeExecution",
        "states:StartExecution",
        "xray:*",
      ]
      Resource = "*"
    }]
  })
}
