module "source_bucket" {
  source = "./modules/bucket"

  name                               = local.bucket_names.source
  kms_key                            = { arn = module.key.arn }
  access_logs                        = { bucket = module.access_logs_bucket.name }
  noncurrent_version_expiration_days = var.noncurrent_version_expiration_days
  force_destroy                      = var.force_destroy
  outlived_by                        = [module.table.arn]
  tags                               = local.tags
}

module "destination_bucket" {
  source = "./modules/bucket"

  name                               = local.bucket_names.destination
  kms_key                            = { arn = module.key.arn }
  access_logs                        = { bucket = module.access_logs_bucket.name }
  noncurrent_version_expiration_days = var.noncurrent_version_expiration_days
  force_destroy                      = var.force_destroy
  outlived_by                        = [module.table.arn]
  tags                               = local.tags

  # Only the pipeline writes here, even if IAM allows others to. IAM decides who may read and delete.
  policy_statements = [{
    sid        = "OnlyThePipelineWrites"
    effect     = "Deny"
    principals = { AWS = ["*"] }
    actions    = ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:ReplicateObject"]
    resources  = [local.destination_objects]
    condition  = { ArnNotEquals = { "aws:PrincipalArn" = local.writer_role_arns } }
  }]
}

module "access_logs_bucket" {
  source = "./modules/bucket"

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
      ArnEquals    = { "aws:SourceArn" = [local.bucket_arns.source, local.bucket_arns.destination] }
    }
  }]
}
