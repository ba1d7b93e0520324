# The customer-managed key that encrypts buckets, table, queues, logs and the alarm topic. Its policy leaves the access of
# people and roles to IAM, and admits services only on behalf of this stack's resources. Without `create` the key is
# the caller's, and so is its policy, which needs the statements in the output `statements`.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id

  policy = {
    Version   = "2012-10-17"
    Statement = concat([local.account_decides], local.statements)
  }

  # IAM policies decide who in the account may use the key. Without this statement nobody could administer it.
  account_decides = {
    Sid       = "AccountDecidesByItsOwnPolicies"
    Effect    = "Allow"
    Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }

  statements = concat(
    local.services,
    [for statement in [local.budgets_of_this_account] : statement if var.budget_notices],
    [for statement in [local.trusted_accounts] : statement if length(var.trusted_account_ids) > 0],
  )

  # https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
  budgets_of_this_account = {
    Sid       = "BudgetsOfThisAccount"
    Effect    = "Allow"
    Principal = { Service = "budgets.amazonaws.com" }
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = "*"
    Condition = {
      StringEquals = { "aws:SourceAccount" = local.account }
      ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:budgets::${local.account}:*" }
    }
  }

  # S3 names the bucket instead of the object where the bucket has a bucket key.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
  trusted_accounts = {
    Sid       = "TrustedAccountsThroughTheBuckets"
    Effect    = "Allow"
    Principal = { AWS = [for id in var.trusted_account_ids : "arn:${local.partition}:iam::${id}:root"] }
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = "*"
    Condition = {
      StringEquals = { "kms:ViaService" = "s3.${local.region}.${data.aws_partition.current.dns_suffix}" }
      StringLike = {
        "kms:EncryptionContext:aws:s3:arn" = flatten([for arn in var.trusted_bucket_arns : [arn, "${arn}/*"]])
      }
    }
  }

  services = [
    {
      # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
      Sid       = "LogGroupsOfThisStack"
      Effect    = "Allow"
      Principal = { Service = "logs.${local.region}.${data.aws_partition.current.dns_suffix}" }
      Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
      Resource  = "*"
      Condition = { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = var.log_group_arns } }
    },
    {
      # S3, or EventBridge for an existing bucket, sends notifications to an encrypted queue.
      # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
      Sid       = "NotificationsOfTheSourceBucket"
      Effect    = "Allow"
      Principal = { Service = var.notifier.service }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnEquals    = { "aws:SourceArn" = var.notifier.arn }
      }
    },
    {
      # Alarms publish to an encrypted topic.
      # https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
      Sid       = "AlarmsOfThisStack"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike = {
          "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${var.name}-*"
        }
      }
    },
  ]
}

resource "aws_kms_key" "this" {
  count = var.create ? 1 : 0

  description             = "Images, records, messages and logs of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_days
  policy                  = jsonencode(local.policy)
  tags                    = var.tags
}

resource "aws_kms_alias" "this" {
  count = var.create ? 1 : 0

  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this[0].key_id
}

# States from before the key could be the caller's.
moved {
  from = aws_kms_key.this
  to   = aws_kms_key.this[0]
}

moved {
  from = aws_kms_alias.this
  to   = aws_kms_alias.this[0]
}
