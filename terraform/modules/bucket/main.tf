# A private, versioned, encrypted bucket. It only accepts requests by TLS, from its own account and those that it trusts;
# it expires noncurrent versions and logs access.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  arn = "arn:${data.aws_partition.current.partition}:s3:::${var.name}"

  accounts = concat([data.aws_caller_identity.current.account_id], var.trusted_account_ids)

  policy = {
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [local.arn, "${local.arn}/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          # AWS services have no account; the statements that admit one restrict on whose behalf it acts. An unsigned
          # request has neither an account nor a value for PrincipalIsAWSService.
          Sid       = length(var.trusted_account_ids) == 0 ? "ThisAccountOnly" : "ThisAndTrustedAccountsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [local.arn, "${local.arn}/*"]
          Condition = {
            StringNotEquals = { "aws:PrincipalAccount" = local.accounts }
            BoolIfExists    = { "aws:PrincipalIsAWSService" = "false" }
          }
        },
      ],
      [for statement in local.only_the_key_encrypts : statement if var.kms_key != null],
      [for statement in var.policy_statements : merge(
        {
          Sid       = statement.sid
          Effect    = statement.effect
          Principal = statement.principals
          Action    = statement.actions
        },
        length(statement.not_resources) > 0 ? { NotResource = statement.not_resources } : {},
        length(statement.not_resources) > 0 ? {} : { Resource = statement.resources },
        length(statement.condition) > 0 ? { Condition = statement.condition } : {},
      )],
    )
  }

  # An upload without encryption headers is encrypted with the bucket's key. Other encryption would prevent the pipeline
  # from reading the object, or allow people to read it who may not use the key. Its ETag would be the MD5 of its bytes,
  # which does not distinguish two uploads of the same bytes.
  sse = "s3:x-amz-server-side-encryption"
  only_the_key_encrypts = [for sid, condition in {
    NoEncryptionButByKms = {
      Null            = { (local.sse) = "false" }
      StringNotEquals = { (local.sse) = "aws:kms" }
    }
    NoOtherKey = {
      Null            = { "${local.sse}-aws-kms-key-id" = "false" }
      StringNotEquals = { "${local.sse}-aws-kms-key-id" = try(var.kms_key.arn, "") }
    }
    # S3 would then use the account's own key for S3, not the bucket's key.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    NoKmsWithoutTheKey = {
      Null         = { "${local.sse}-aws-kms-key-id" = "true" }
      StringEquals = { (local.sse) = "aws:kms" }
    }
    NoKeyOfTheCallers = {
      Null = { "${local.sse}-customer-algorithm" = "false" }
    }
    } : {
    Sid       = sid
    Effect    = "Deny"
    Principal = "*"
    Action    = "s3:PutObject"
    Resource  = "${local.arn}/*"
    Condition = condition
  }]
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV2_AWS_62:The module ingest adds notifications to the source bucket; the others need none
  # checkov:skip=CKV_AWS_145:Images use the key; access logs cannot, because S3 only writes them with its own key
  # checkov:skip=CKV_AWS_19:The configuration below encrypts; checkov loses it where a module with count is in a module
  # checkov:skip=CKV_AWS_144:Versions protect against deletion; a second region would double the cost
  bucket        = var.name
  force_destroy = var.force_destroy
  tags          = var.tags

  # For the order of destruction: if a destroy stops at this bucket because it holds objects, it has not yet deleted the
  # key that decrypts them, nor the table that describes them.
  depends_on = [var.kms_key, var.outlived_by]
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # A bucket key makes one KMS request serve many objects.
    bucket_key_enabled = var.kms_key != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key == null ? "AES256" : "aws:kms"
      kms_master_key_id = try(var.kms_key.arn, null)
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "forget"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_version_expiration_days
    }

    # With expiration_days, current objects expire too; otherwise only delete markers without any older versions do.
    expiration {
      days                         = var.expiration_days
      expired_object_delete_marker = var.expiration_days == null ? true : null
    }
  }

  # Rules for noncurrent versions make sense on a versioned bucket only.
  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode(local.policy)

  # S3 accepts only one change of a bucket's access settings at a time.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_logging" "this" {
  count = var.access_logs == null ? 0 : 1

  bucket        = aws_s3_bucket.this.id
  target_bucket = var.access_logs.bucket
  target_prefix = "${var.name}/"
}

resource "aws_s3_bucket_cors_configuration" "this" {
  count = length(var.cors_origins) > 0 ? 1 : 0

  bucket = aws_s3_bucket.this.id

  # A form that uploads a file; a script that sends it may read the answer.
  cors_rule {
    allowed_origins = var.cors_origins
    allowed_methods = ["POST"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag", "x-amz-version-id"]
    max_age_seconds = 3600
  }
}
