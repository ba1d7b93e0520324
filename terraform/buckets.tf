locals {
  # From the modules, so that what refers to a bucket waits for it.
  source_bucket      = local.existing.source ? local.bucket_names.source : module.source_bucket[0].name
  destination_bucket = local.existing.destination ? local.bucket_names.destination : module.destination_bucket[0].name

  # From the module, so that the bucket's policy exists before S3 is asked to write to it.
  access_logs_bucket = var.access_logs_bucket == null ? one(module.access_logs_bucket[*].name) : var.access_logs_bucket

  # As principals; none or one list of them. The IAM policies of a trusted account decide who there may do it.
  trusted_accounts = length(var.trusted_account_ids) == 0 ? [] : [
    [for id in var.trusted_account_ids : "arn:${local.partition}:iam::${id}:root"]
  ]
}

module "source_bucket" {
  source = "./modules/bucket"
  count  = local.existing.source ? 0 : 1

  name                               = local.bucket_names.source
  kms_key                            = { arn = module.key.arn }
  access_logs                        = { bucket = local.access_logs_bucket }
  trusted_account_ids                = var.trusted_account_ids
  noncurrent_version_expiration_days = var.noncurrent_version_expiration_days
  force_destroy                      = var.force_destroy
  outlived_by                        = [module.table.arn]
  cors_origins                       = var.upload_cors_origins
  tags                               = local.tags

  policy_statements = [for accounts in local.trusted_accounts : {
    sid        = "TrustedAccountsUpload"
    effect     = "Allow"
    principals = { AWS = accounts }
    actions    = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"]
    resources  = [local.source_objects]
  }]
}

module "destination_bucket" {
  source = "./modules/bucket"
  count  = local.existing.destination ? 0 : 1

  name                               = local.bucket_names.destination
  kms_key                            = { arn = module.key.arn }
  access_logs                        = { bucket = local.access_logs_bucket }
  trusted_account_ids                = var.trusted_account_ids
  noncurrent_version_expiration_days = var.noncurrent_version_expiration_days
  force_destroy                      = var.force_destroy
  outlived_by                        = [module.table.arn]
  tags                               = local.tags

  # Only the pipeline writes here, even if IAM allows others to. IAM decides who may read and delete, and who may write
  # manifests of a backfill, whose place no image takes.
  policy_statements = concat(
    [{
      sid           = "OnlyThePipelineWrites"
      effect        = "Deny"
      principals    = { AWS = ["*"] }
      actions       = ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:ReplicateObject"]
      resources     = local.backfill.enabled ? [] : [local.destination_objects]
      not_resources = local.backfill.enabled ? [local.backfill_manifests] : []
      condition     = { ArnNotEquals = { "aws:PrincipalArn" = local.writer_role_arns } }
    }],
    [for accounts in local.trusted_accounts : {
      sid        = "TrustedAccountsRead"
      effect     = "Allow"
      principals = { AWS = accounts }
      actions    = ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"]
      resources  = [local.bucket_arns.destination, local.destination_objects]
    }],
  )
}

module "access_logs_bucket" {
  source = "./modules/bucket"
  count  = var.access_logs_bucket == null && length(local.own_buckets) > 0 ? 1 : 0

  name                               = local.bucket_names.access_logs
  noncurrent_version_expiration_days = var.noncurrent_version_expiration_days
  expiration_days                    = var.log_retention_days
  force_destroy                      = true # S3 writes to it as long as a logged bucket exists, so it is never empty
  tags                               = local.tags

  policy_statements = [{
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    sid        = "AccessLogsOfTheImageBuckets"
    effect     = "Allow"
    principals = { Service = ["logging.s3.amazonaws.com"] }
    actions    = ["s3:PutObject"]
    resources  = ["${local.bucket_arns.access_logs}/*"]
    condition = {
      StringEquals = { "aws:SourceAccount" = [local.account] }
      ArnEquals    = { "aws:SourceArn" = local.own_bucket_arns }
    }
  }]
}

# States from before access logs could go to a bucket of the caller's.
moved {
  from = module.access_logs_bucket
  to   = module.access_logs_bucket[0]
}

# States from before the buckets could be existing ones.
moved {
  from = module.source_bucket
  to   = module.source_bucket[0]
}

moved {
  from = module.destination_bucket
  to   = module.destination_bucket[0]
}
